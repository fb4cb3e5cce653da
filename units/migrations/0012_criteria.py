"""Criteria sets that a district writes here, and what the database itself keeps of them."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
from django.conf import settings
from django.db import migrations, models

KEPT = r"""
-- What was approved stays as it was approved, whoever writes: it may be retired and no more. A text is a draft first,
-- and no status is without the step of a person in a role that may take it.
CREATE FUNCTION geoinv_keep_criteria() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ends text[] := ARRAY['status', 'version', 'edited_by_id', 'edited_at', 'retired_by_id', 'retired_at'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'draft' THEN
            RAISE EXCEPTION 'Criteria % are a draft before they are approved.', NEW.name
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status <> 'draft' AND (TG_OP = 'DELETE' OR OLD.status <> 'approved' OR NEW.status <> 'retired'
                                  OR to_jsonb(NEW) - ends IS DISTINCT FROM to_jsonb(OLD) - ends) THEN
        RAISE EXCEPTION '% of criteria % is refused: they were approved and do not change.', TG_OP, OLD.name
            USING ERRCODE = 'restrict_violation', HINT = 'Write a set of another name on top of it, or retire it.';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.status <> OLD.status AND NOT EXISTS (
        SELECT 1 FROM units_move WHERE register = 'criteria' AND subject = NEW.name AND district_id = NEW.district_id
        AND from_state = OLD.status AND to_state = NEW.status AND role IN ('R6', 'R7')) THEN
        RAISE EXCEPTION 'Criteria % are approved and retired by the district government or the municipal bureau.',
            NEW.name USING ERRCODE = 'restrict_violation', HINT = 'Record the step first.';
    END IF;
    IF NEW.status <> 'draft' AND NEW.digest <> encode(sha256(convert_to(NEW.whole, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'The digest of criteria % is not that of their text.', NEW.name
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER criteria_kept BEFORE INSERT OR UPDATE OR DELETE ON units_criteriatext
    FOR EACH ROW EXECUTE FUNCTION geoinv_keep_criteria();
ALTER TABLE units_criteriatext ENABLE ALWAYS TRIGGER criteria_kept;

-- What a run was judged by can be read again for ever.
CREATE FUNCTION geoinv_keep_edition() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.digest, NEW.text) = (OLD.digest, OLD.text) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of an edition of criteria is refused: runs were judged by it.', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER edition_kept BEFORE UPDATE OR DELETE ON units_criteriaedition
    FOR EACH ROW EXECUTE FUNCTION geoinv_keep_edition();
CREATE TRIGGER edition_not_emptied BEFORE TRUNCATE ON units_criteriaedition
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_keep_edition();
ALTER TABLE units_criteriaedition ENABLE ALWAYS TRIGGER edition_kept;
ALTER TABLE units_criteriaedition ENABLE ALWAYS TRIGGER edition_not_emptied;
"""
UNKEPT = r"""
DROP TRIGGER edition_kept ON units_criteriaedition;
DROP TRIGGER edition_not_emptied ON units_criteriaedition;
DROP TRIGGER criteria_kept ON units_criteriatext;
DROP FUNCTION geoinv_keep_edition();
DROP FUNCTION geoinv_keep_criteria();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0011_determinations'),
    ]

    operations = [
        migrations.CreateModel(
            name='CriteriaText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True, verbose_name='Name')),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='Title')),
                ('parent', models.CharField(blank=True, max_length=60, verbose_name='Parent')),
                ('status', units.models.fields.OneOf(choices=[('draft', 'Draft'), ('approved', 'Approved'), ('retired', 'Retired')], default='draft', max_length=8, verbose_name='Status')),
                ('text', models.TextField(verbose_name='Text')),
                ('based_on', models.CharField(blank=True, max_length=64, verbose_name='Digest of the set that it was made from')),
                ('reason', models.TextField(verbose_name='Why it was made')),
                ('faults', models.JSONField(blank=True, default=list, verbose_name='Faults')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Version')),
                ('made_at', models.DateTimeField(auto_now_add=True, verbose_name='Made at')),
                ('edited_at', models.DateTimeField(auto_now=True, verbose_name='Edited at')),
                ('whole', models.TextField(blank=True, verbose_name='Text, with its parents')),
                ('digest', models.CharField(blank=True, max_length=64, verbose_name='Digest')),
                ('approved_at', models.DateTimeField(blank=True, null=True, verbose_name='Approved at')),
                ('approval', models.TextField(blank=True, verbose_name='Reason of the approval')),
                ('retired_at', models.DateTimeField(blank=True, null=True, verbose_name='Retired at')),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Approved by')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='criteria_texts', to='units.district', verbose_name='District')),
                ('document', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.document', verbose_name='Document')),
                ('edited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Edited by')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Made by')),
                ('retired_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Retired by')),
            ],
            options={
                'verbose_name': 'Text of criteria',
                'verbose_name_plural': 'Texts of criteria',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='CriteriaTextEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=60, verbose_name='Name')),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='Title')),
                ('parent', models.CharField(blank=True, max_length=60, verbose_name='Parent')),
                ('status', units.models.fields.OneOf(choices=[('draft', 'Draft'), ('approved', 'Approved'), ('retired', 'Retired')], default='draft', max_length=8, verbose_name='Status')),
                ('text', models.TextField(verbose_name='Text')),
                ('based_on', models.CharField(blank=True, max_length=64, verbose_name='Digest of the set that it was made from')),
                ('reason', models.TextField(verbose_name='Why it was made')),
                ('faults', models.JSONField(blank=True, default=list, verbose_name='Faults')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Version')),
                ('made_at', models.DateTimeField(auto_now_add=True, verbose_name='Made at')),
                ('edited_at', models.DateTimeField(auto_now=True, verbose_name='Edited at')),
                ('whole', models.TextField(blank=True, verbose_name='Text, with its parents')),
                ('digest', models.CharField(blank=True, max_length=64, verbose_name='Digest')),
                ('approved_at', models.DateTimeField(blank=True, null=True, verbose_name='Approved at')),
                ('approval', models.TextField(blank=True, verbose_name='Reason of the approval')),
                ('retired_at', models.DateTimeField(blank=True, null=True, verbose_name='Retired at')),
                ('approved_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Approved by')),
                ('district', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.district', verbose_name='District')),
                ('document', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.document', verbose_name='Document')),
                ('edited_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Edited by')),
                ('made_by', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Made by')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.criteriatext')),
                ('retired_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Retired by')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='criteriatext',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approved_by__isnull', True), ('digest', ''), ('status', 'draft'), ('whole', '')), models.Q(('approved_by__isnull', False), ('faults', []), ('status__in', ['approved', 'retired']), ('approved_at__isnull', False), ('document__isnull', False), models.Q(('digest', ''), _negated=True), models.Q(('approval', ''), _negated=True)), _connector='OR'), name='criteria_approved_by_somebody_on_paper'),
        ),
        migrations.AddConstraint(
            model_name='criteriatext',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='criteria_made_for_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criteriatext',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_criteriatextevent" ("approval", "approved_at", "approved_by_id", "based_on", "digest", "district_id", "document_id", "edited_at", "edited_by_id", "faults", "id", "made_at", "made_by_id", "name", "parent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "retired_at", "retired_by_id", "status", "text", "title", "version", "whole") SELECT new_values."approval", new_values."approved_at", new_values."approved_by_id", new_values."based_on", new_values."digest", new_values."district_id", new_values."document_id", new_values."edited_at", new_values."edited_by_id", new_values."faults", new_values."id", new_values."made_at", new_values."made_by_id", new_values."name", new_values."parent", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."reason", new_values."retired_at", new_values."retired_by_id", new_values."status", new_values."text", new_values."title", new_values."version", new_values."whole" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1a2b0ac383086cc692a394a228139bab05258251', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_a8ab1', referencing='REFERENCING NEW TABLE AS new_values ', table='units_criteriatext', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criteriatext',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_criteriatextevent" ("approval", "approved_at", "approved_by_id", "based_on", "digest", "district_id", "document_id", "edited_at", "edited_by_id", "faults", "id", "made_at", "made_by_id", "name", "parent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "retired_at", "retired_by_id", "status", "text", "title", "version", "whole") SELECT new_values."approval", new_values."approved_at", new_values."approved_by_id", new_values."based_on", new_values."digest", new_values."district_id", new_values."document_id", new_values."edited_at", new_values."edited_by_id", new_values."faults", new_values."id", new_values."made_at", new_values."made_by_id", new_values."name", new_values."parent", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."reason", new_values."retired_at", new_values."retired_by_id", new_values."status", new_values."text", new_values."title", new_values."version", new_values."whole" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='5e0e3585a6e947f710cbf147e39e36733b375018', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_4f857', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_criteriatext', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criteriatext',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_criteriatextevent" ("approval", "approved_at", "approved_by_id", "based_on", "digest", "district_id", "document_id", "edited_at", "edited_by_id", "faults", "id", "made_at", "made_by_id", "name", "parent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "retired_at", "retired_by_id", "status", "text", "title", "version", "whole") SELECT old_values."approval", old_values."approved_at", old_values."approved_by_id", old_values."based_on", old_values."digest", old_values."district_id", old_values."document_id", old_values."edited_at", old_values."edited_by_id", old_values."faults", old_values."id", old_values."made_at", old_values."made_by_id", old_values."name", old_values."parent", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."reason", old_values."retired_at", old_values."retired_by_id", old_values."status", old_values."text", old_values."title", old_values."version", old_values."whole" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='9a4c8995f1435c53c58b709982427904431059bb', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_0bdeb', referencing='REFERENCING OLD TABLE AS old_values ', table='units_criteriatext', when='AFTER')),
        ),
        migrations.RunSQL(KEPT, UNKEPT),
        migrations.RunSQL("SELECT geoinv_harden_history()", migrations.RunSQL.noop),
    ]
