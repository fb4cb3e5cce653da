"""Sealed sets, what a record of the inventory keeps of its listing, and moves of disposals."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import units.models.fields

REGISTERS = """
ALTER TABLE units_move DROP CONSTRAINT IF EXISTS units_move_register_check,
    ADD CONSTRAINT units_move_register_check CHECK (register IN (
        'record', 'legacy', 'legacy_register', 'disposal', 'unit', 'plan', 'project', 'criteria', 'survey'));
"""

# A column that a trigger looks at cannot get another type: the one that freezes is made again as 0002 made it.
NOT_FREEZING = "DROP TRIGGER move_freezes_legacy ON units_move;"
FREEZING = """
CREATE TRIGGER move_freezes_legacy AFTER INSERT ON units_move
    FOR EACH ROW WHEN (NEW.register = 'legacy_register' AND NEW.to_state = 'accepted')
    EXECUTE FUNCTION geoinv_freeze_legacy();
ALTER TABLE units_move ENABLE ALWAYS TRIGGER move_freezes_legacy;
"""

SEALED = r"""
-- What was sealed stays as it was sealed, and its checksum is that of its content, whoever writes.
ALTER TABLE units_snapshot ADD CONSTRAINT snapshot_checksum CHECK (sha256 = encode(sha256(content), 'hex'));
CREATE TRIGGER snapshot_kept_for_ever BEFORE UPDATE OR DELETE ON units_snapshot
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER snapshot_not_emptied BEFORE TRUNCATE ON units_snapshot
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_snapshot ENABLE ALWAYS TRIGGER snapshot_kept_for_ever;
ALTER TABLE units_snapshot ENABLE ALWAYS TRIGGER snapshot_not_emptied;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON units_snapshot FROM geoinv_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0019_lineage'),
    ]

    operations = [
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('register', units.models.fields.OneOf(choices=[('record', 'Low-efficiency record'), ('legacy', 'Legacy polygon')], max_length=8, verbose_name='Register')),
                ('number', models.PositiveIntegerField(verbose_name='Number')),
                ('at', models.DateTimeField(verbose_name='Sealed at')),
                ('rows', models.PositiveIntegerField(verbose_name='Rows')),
                ('content', models.BinaryField(verbose_name='Content')),
                ('sha256', models.CharField(max_length=64, verbose_name='Checksum (SHA-256)')),
            ],
            options={
                'verbose_name': 'Sealed set',
                'verbose_name_plural': 'Sealed sets',
                'ordering': ['-id'],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='determination',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='determination',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='determination',
            name='delete_delete',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='legacyland',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='legacyland',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='legacyland',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='determination',
            name='after',
            field=models.JSONField(blank=True, default=dict, verbose_name='Values after redevelopment'),
        ),
        migrations.AddField(
            model_name='determination',
            name='change',
            field=units.models.fields.OneOf(blank=True, choices=[('add', 'Something is added'), ('change', 'Something has changed'), ('remove', 'It is to leave the inventory')], max_length=8, verbose_name='Reason of the update'),
        ),
        migrations.AddField(
            model_name='determination',
            name='listed_until',
            field=models.DateField(blank=True, null=True, verbose_name='Listed until'),
        ),
        migrations.AddField(
            model_name='determination',
            name='plan_item',
            field=models.CharField(blank=True, max_length=80, verbose_name='Number of the plan item'),
        ),
        migrations.AddField(
            model_name='determination',
            name='started_document',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.document', verbose_name='Paper of the start'),
        ),
        migrations.AddField(
            model_name='determination',
            name='started_on',
            field=models.DateField(blank=True, null=True, verbose_name='Redevelopment started on'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='after',
            field=models.JSONField(blank=True, default=dict, verbose_name='Values after redevelopment'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='change',
            field=units.models.fields.OneOf(blank=True, choices=[('add', 'Something is added'), ('change', 'Something has changed'), ('remove', 'It is to leave the inventory')], max_length=8, verbose_name='Reason of the update'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='listed_until',
            field=models.DateField(blank=True, null=True, verbose_name='Listed until'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='plan_item',
            field=models.CharField(blank=True, max_length=80, verbose_name='Number of the plan item'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='started_document',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.document', verbose_name='Paper of the start'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='started_on',
            field=models.DateField(blank=True, null=True, verbose_name='Redevelopment started on'),
        ),
        migrations.AddField(
            model_name='legacyland',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name='Version'),
        ),
        migrations.AddField(
            model_name='legacylandevent',
            name='version',
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name='Version'),
        ),
        migrations.RunSQL(NOT_FREEZING, FREEZING),
        migrations.AlterField(
            model_name='move',
            name='from_state',
            field=models.CharField(blank=True, max_length=20, verbose_name='From'),
        ),
        migrations.AlterField(
            model_name='move',
            name='register',
            field=units.models.fields.OneOf(choices=[('record', 'Low-efficiency record'), ('legacy', 'Legacy polygon'), ('legacy_register', 'Legacy register of a district'), ('disposal', 'Disposal of legacy land'), ('unit', 'Redevelopment unit'), ('plan', 'Annual plan'), ('project', 'Project'), ('criteria', 'Criteria'), ('survey', 'Survey')], max_length=16, verbose_name='Register'),
        ),
        migrations.AlterField(
            model_name='move',
            name='to_state',
            field=models.CharField(max_length=20, verbose_name='To'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='determination',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_determinationevent" ("after", "approved_by_id", "base_survey_year", "building_id", "category", "change", "code", "criteria", "decided_at", "decided_by_id", "district_id", "document_id", "evidence", "id", "listed_in_id", "listed_since", "listed_until", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_item", "procedure", "raised_by_id", "raised_reason", "reason", "reason_codes", "result", "sealed_id", "started_document_id", "started_on", "state", "street_id", "subtype", "version") SELECT new_values."after", new_values."approved_by_id", new_values."base_survey_year", new_values."building_id", new_values."category", new_values."change", new_values."code", new_values."criteria", new_values."decided_at", new_values."decided_by_id", new_values."district_id", new_values."document_id", new_values."evidence", new_values."id", new_values."listed_in_id", new_values."listed_since", new_values."listed_until", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."plan_item", new_values."procedure", new_values."raised_by_id", new_values."raised_reason", new_values."reason", new_values."reason_codes", new_values."result", new_values."sealed_id", new_values."started_document_id", new_values."started_on", new_values."state", new_values."street_id", new_values."subtype", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='8922910867486bd7c6604577f80e401143e98d0d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_5fd7a', referencing='REFERENCING NEW TABLE AS new_values ', table='units_determination', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='determination',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_determinationevent" ("after", "approved_by_id", "base_survey_year", "building_id", "category", "change", "code", "criteria", "decided_at", "decided_by_id", "district_id", "document_id", "evidence", "id", "listed_in_id", "listed_since", "listed_until", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_item", "procedure", "raised_by_id", "raised_reason", "reason", "reason_codes", "result", "sealed_id", "started_document_id", "started_on", "state", "street_id", "subtype", "version") SELECT new_values."after", new_values."approved_by_id", new_values."base_survey_year", new_values."building_id", new_values."category", new_values."change", new_values."code", new_values."criteria", new_values."decided_at", new_values."decided_by_id", new_values."district_id", new_values."document_id", new_values."evidence", new_values."id", new_values."listed_in_id", new_values."listed_since", new_values."listed_until", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."plan_item", new_values."procedure", new_values."raised_by_id", new_values."raised_reason", new_values."reason", new_values."reason_codes", new_values."result", new_values."sealed_id", new_values."started_document_id", new_values."started_on", new_values."state", new_values."street_id", new_values."subtype", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='303dcd17fbdc29970a3b8c510e4b3268d0943153', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_d119c', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_determination', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='determination',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_determinationevent" ("after", "approved_by_id", "base_survey_year", "building_id", "category", "change", "code", "criteria", "decided_at", "decided_by_id", "district_id", "document_id", "evidence", "id", "listed_in_id", "listed_since", "listed_until", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_item", "procedure", "raised_by_id", "raised_reason", "reason", "reason_codes", "result", "sealed_id", "started_document_id", "started_on", "state", "street_id", "subtype", "version") SELECT old_values."after", old_values."approved_by_id", old_values."base_survey_year", old_values."building_id", old_values."category", old_values."change", old_values."code", old_values."criteria", old_values."decided_at", old_values."decided_by_id", old_values."district_id", old_values."document_id", old_values."evidence", old_values."id", old_values."listed_in_id", old_values."listed_since", old_values."listed_until", old_values."parcel_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."plan_item", old_values."procedure", old_values."raised_by_id", old_values."raised_reason", old_values."reason", old_values."reason_codes", old_values."result", old_values."sealed_id", old_values."started_document_id", old_values."started_on", old_values."state", old_values."street_id", old_values."subtype", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='c4b29b37e3dc422366b4e14d5767dbd327a078d4', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_32309', referencing='REFERENCING OLD TABLE AS old_values ', table='units_determination', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='legacyland',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_legacylandevent" ("address", "base_survey_year", "code", "delivery_id", "district_id", "extra", "geom", "id", "in_scope", "ownership", "penalty_closed_on", "penalty_number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "route", "row_digest", "row_number", "sealed_id", "small_property_housing", "state", "street_id", "used_since", "user_name", "version", "worksheet", "worth_keeping") SELECT new_values."address", new_values."base_survey_year", new_values."code", new_values."delivery_id", new_values."district_id", new_values."extra", new_values."geom", new_values."id", new_values."in_scope", new_values."ownership", new_values."penalty_closed_on", new_values."penalty_number", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."route", new_values."row_digest", new_values."row_number", new_values."sealed_id", new_values."small_property_housing", new_values."state", new_values."street_id", new_values."used_since", new_values."user_name", new_values."version", new_values."worksheet", new_values."worth_keeping" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='89a51af6cacf692b385bd437481a5b72399bdd1d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_9918a', referencing='REFERENCING NEW TABLE AS new_values ', table='units_legacyland', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='legacyland',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_legacylandevent" ("address", "base_survey_year", "code", "delivery_id", "district_id", "extra", "geom", "id", "in_scope", "ownership", "penalty_closed_on", "penalty_number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "route", "row_digest", "row_number", "sealed_id", "small_property_housing", "state", "street_id", "used_since", "user_name", "version", "worksheet", "worth_keeping") SELECT new_values."address", new_values."base_survey_year", new_values."code", new_values."delivery_id", new_values."district_id", new_values."extra", new_values."geom", new_values."id", new_values."in_scope", new_values."ownership", new_values."penalty_closed_on", new_values."penalty_number", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."route", new_values."row_digest", new_values."row_number", new_values."sealed_id", new_values."small_property_housing", new_values."state", new_values."street_id", new_values."used_since", new_values."user_name", new_values."version", new_values."worksheet", new_values."worth_keeping" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."address" IS DISTINCT FROM (new_values."address") OR old_values."base_survey_year" IS DISTINCT FROM (new_values."base_survey_year") OR old_values."code" IS DISTINCT FROM (new_values."code") OR old_values."delivery_id" IS DISTINCT FROM (new_values."delivery_id") OR old_values."district_id" IS DISTINCT FROM (new_values."district_id") OR old_values."extra" IS DISTINCT FROM (new_values."extra") OR old_values."geom" IS DISTINCT FROM (new_values."geom") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."in_scope" IS DISTINCT FROM (new_values."in_scope") OR old_values."ownership" IS DISTINCT FROM (new_values."ownership") OR old_values."penalty_closed_on" IS DISTINCT FROM (new_values."penalty_closed_on") OR old_values."penalty_number" IS DISTINCT FROM (new_values."penalty_number") OR old_values."route" IS DISTINCT FROM (new_values."route") OR old_values."row_digest" IS DISTINCT FROM (new_values."row_digest") OR old_values."row_number" IS DISTINCT FROM (new_values."row_number") OR old_values."sealed_id" IS DISTINCT FROM (new_values."sealed_id") OR old_values."small_property_housing" IS DISTINCT FROM (new_values."small_property_housing") OR old_values."state" IS DISTINCT FROM (new_values."state") OR old_values."street_id" IS DISTINCT FROM (new_values."street_id") OR old_values."used_since" IS DISTINCT FROM (new_values."used_since") OR old_values."user_name" IS DISTINCT FROM (new_values."user_name") OR old_values."version" IS DISTINCT FROM (new_values."version") OR old_values."worksheet" IS DISTINCT FROM (new_values."worksheet") OR old_values."worth_keeping" IS DISTINCT FROM (new_values."worth_keeping")) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='925c10b3edc04795bf1c0dab0099b96720873a1c', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_a2a48', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_legacyland', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='legacyland',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_legacylandevent" ("address", "base_survey_year", "code", "delivery_id", "district_id", "extra", "geom", "id", "in_scope", "ownership", "penalty_closed_on", "penalty_number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "route", "row_digest", "row_number", "sealed_id", "small_property_housing", "state", "street_id", "used_since", "user_name", "version", "worksheet", "worth_keeping") SELECT old_values."address", old_values."base_survey_year", old_values."code", old_values."delivery_id", old_values."district_id", old_values."extra", old_values."geom", old_values."id", old_values."in_scope", old_values."ownership", old_values."penalty_closed_on", old_values."penalty_number", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."route", old_values."row_digest", old_values."row_number", old_values."sealed_id", old_values."small_property_housing", old_values."state", old_values."street_id", old_values."used_since", old_values."user_name", old_values."version", old_values."worksheet", old_values."worth_keeping" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='6b8efe384c12a161df1ea8aa07a789bdb30f4b13', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_f81c8', referencing='REFERENCING OLD TABLE AS old_values ', table='units_legacyland', when='AFTER')),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='beside',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.snapshot', verbose_name='Goes up with'),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='By'),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='district',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='document',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.document', verbose_name='Document'),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='replaces',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='units.snapshot', verbose_name='Replaces'),
        ),
        migrations.AddField(
            model_name='determination',
            name='listed_in',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.snapshot', verbose_name='Set in force'),
        ),
        migrations.AddField(
            model_name='determination',
            name='sealed',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.snapshot', verbose_name='Sealed in'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='listed_in',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.snapshot', verbose_name='Set in force'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='sealed',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.snapshot', verbose_name='Sealed in'),
        ),
        migrations.AddField(
            model_name='legacyland',
            name='sealed',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.snapshot', verbose_name='Sealed in'),
        ),
        migrations.AddField(
            model_name='legacylandevent',
            name='sealed',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.snapshot', verbose_name='Sealed in'),
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(('listed_until__isnull', True), ('listed_until__gte', models.F('listed_since')), _connector='OR'), name='listed_before_it_is_not'),
        ),
        migrations.AddConstraint(
            model_name='snapshot',
            constraint=models.UniqueConstraint(fields=('district', 'register', 'number'), name='snapshot_number_once'),
        ),
        migrations.RunSQL(FREEZING, NOT_FREEZING),
        migrations.RunSQL(REGISTERS, migrations.RunSQL.noop),
        migrations.RunSQL(SEALED, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT geoinv_harden_history();", migrations.RunSQL.noop),
    ]
