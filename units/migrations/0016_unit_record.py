"""The record of a unit: programmes, the digest of what was approved, opinions asked for, and transfers that net to zero."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
from django.conf import settings
from django.db import migrations, models


GUARDS = r"""
-- A transfer of floor area (NK026) stands in two units at once, with each sign once: whatever is written, in whichever
-- order, what one gives the other takes when the transaction ends. The latest edition of a unit speaks for it.
CREATE FUNCTION geoinv_keep_transfers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    former jsonb := CASE WHEN TG_OP = 'UPDATE' THEN OLD.incentives ELSE '[]' END;
    one text;
    sides bigint;
    places bigint;
    net numeric;
BEGIN
    IF NOT (NEW.incentives @> '[{"type": "transfer"}]' OR former @> '[{"type": "transfer"}]') THEN
        RETURN NULL;
    END IF;
    FOR one IN SELECT DISTINCT e ->> 'transfer' FROM jsonb_array_elements(NEW.incentives || former) e
               WHERE e ->> 'type' = 'transfer' LOOP
        SELECT count(*), count(DISTINCT (u.district_id, u.code)), sum((e ->> 'quantity')::numeric)
        INTO sides, places, net
        FROM units_redevelopmentunit u CROSS JOIN LATERAL jsonb_array_elements(u.incentives) e
        WHERE u.incentives @> jsonb_build_array(jsonb_build_object('transfer', one)) AND e ->> 'transfer' = one
          AND u.state <> 'deleted'
          AND NOT EXISTS (SELECT FROM units_redevelopmentunit later WHERE later.district_id = u.district_id
                          AND later.code = u.code AND later.edition > u.edition AND later.state <> 'deleted');
        IF one IS NULL OR NOT (sides = 0 OR (sides = 2 AND places = 2 AND net = 0)) THEN
            RAISE EXCEPTION 'The transfer % of unit % does not net to zero over two units.', one, NEW.code
                USING ERRCODE = 'check_violation', HINT = 'Enter it in both units at once.', CONSTRAINT = 'unit_transfers_net';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER unit_transfers_net AFTER INSERT OR UPDATE OF incentives, state ON units_redevelopmentunit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION geoinv_keep_transfers();
ALTER TABLE units_redevelopmentunit ENABLE ALWAYS TRIGGER unit_transfers_net;

-- An opinion that was given stays as it was given; one that was asked for is not taken back.
CREATE TRIGGER consultation_reply_kept BEFORE UPDATE ON units_consultation
    FOR EACH ROW WHEN (OLD.opinion <> '') EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_consultation ENABLE ALWAYS TRIGGER consultation_reply_kept;
CREATE TRIGGER consultation_kept BEFORE DELETE ON units_consultation
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_consultation ENABLE ALWAYS TRIGGER consultation_kept;
SELECT geoinv_harden_history();
"""

UNGUARDED = r"""
DROP TRIGGER consultation_kept ON units_consultation;
DROP TRIGGER consultation_reply_kept ON units_consultation;
DROP TRIGGER unit_transfers_net ON units_redevelopmentunit;
DROP FUNCTION geoinv_keep_transfers();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0015_working'),
    ]

    operations = [
        migrations.CreateModel(
            name='Consultation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(max_length=64, verbose_name='Digest')),
                ('question', models.TextField(blank=True, verbose_name='Question')),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='Asked at')),
                ('due_on', models.DateField(verbose_name='Due on')),
                ('opinion', units.models.fields.OneOf(blank=True, choices=[('agrees', 'Agrees'), ('conditions', 'Agrees under conditions'), ('objects', 'Objects')], max_length=10, verbose_name='Opinion')),
                ('reply', models.TextField(blank=True, verbose_name='Reply')),
                ('paper', models.CharField(blank=True, max_length=80, verbose_name='Number of the paper')),
                ('replied_at', models.DateTimeField(blank=True, null=True, verbose_name='Replied at')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Edit count')),
            ],
            options={
                'verbose_name': 'Consultation',
                'verbose_name_plural': 'Consultations',
                'ordering': ['due_on', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ConsultationEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('about', models.CharField(max_length=64, verbose_name='Digest')),
                ('question', models.TextField(blank=True, verbose_name='Question')),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='Asked at')),
                ('due_on', models.DateField(verbose_name='Due on')),
                ('opinion', units.models.fields.OneOf(blank=True, choices=[('agrees', 'Agrees'), ('conditions', 'Agrees under conditions'), ('objects', 'Objects')], max_length=10, verbose_name='Opinion')),
                ('reply', models.TextField(blank=True, verbose_name='Reply')),
                ('paper', models.CharField(blank=True, max_length=80, verbose_name='Number of the paper')),
                ('replied_at', models.DateTimeField(blank=True, null=True, verbose_name='Replied at')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Edit count')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='redevelopmentunit',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='redevelopmentunit',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='redevelopmentunit',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='redevelopmentunit',
            name='approved_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='Approved at'),
        ),
        migrations.AddField(
            model_name='redevelopmentunit',
            name='digest',
            field=models.CharField(blank=True, max_length=64, verbose_name='Digest'),
        ),
        migrations.AddField(
            model_name='redevelopmentunit',
            name='programmes',
            field=models.JSONField(blank=True, default=list, verbose_name='Programmes'),
        ),
        migrations.AddField(
            model_name='redevelopmentunitevent',
            name='approved_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='Approved at'),
        ),
        migrations.AddField(
            model_name='redevelopmentunitevent',
            name='digest',
            field=models.CharField(blank=True, max_length=64, verbose_name='Digest'),
        ),
        migrations.AddField(
            model_name='redevelopmentunitevent',
            name='programmes',
            field=models.JSONField(blank=True, default=list, verbose_name='Programmes'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redevelopmentunit',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_redevelopmentunitevent" ("approved_at", "base_survey_year", "code", "created_at", "created_by_id", "digest", "district_id", "edition", "geom", "id", "incentives", "methods", "mode", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_editions", "programmes", "requirements", "state", "street_id", "version") SELECT new_values."approved_at", new_values."base_survey_year", new_values."code", new_values."created_at", new_values."created_by_id", new_values."digest", new_values."district_id", new_values."edition", new_values."geom", new_values."id", new_values."incentives", new_values."methods", new_values."mode", new_values."name", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."plan_editions", new_values."programmes", new_values."requirements", new_values."state", new_values."street_id", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='c8ad4de5d97764465382d1a47eb9696f0c834d43', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_b2c3b', referencing='REFERENCING NEW TABLE AS new_values ', table='units_redevelopmentunit', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redevelopmentunit',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_redevelopmentunitevent" ("approved_at", "base_survey_year", "code", "created_at", "created_by_id", "digest", "district_id", "edition", "geom", "id", "incentives", "methods", "mode", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_editions", "programmes", "requirements", "state", "street_id", "version") SELECT new_values."approved_at", new_values."base_survey_year", new_values."code", new_values."created_at", new_values."created_by_id", new_values."digest", new_values."district_id", new_values."edition", new_values."geom", new_values."id", new_values."incentives", new_values."methods", new_values."mode", new_values."name", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."plan_editions", new_values."programmes", new_values."requirements", new_values."state", new_values."street_id", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."approved_at" IS DISTINCT FROM (new_values."approved_at") OR old_values."base_survey_year" IS DISTINCT FROM (new_values."base_survey_year") OR old_values."code" IS DISTINCT FROM (new_values."code") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."created_by_id" IS DISTINCT FROM (new_values."created_by_id") OR old_values."digest" IS DISTINCT FROM (new_values."digest") OR old_values."district_id" IS DISTINCT FROM (new_values."district_id") OR old_values."edition" IS DISTINCT FROM (new_values."edition") OR old_values."geom" IS DISTINCT FROM (new_values."geom") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."incentives" IS DISTINCT FROM (new_values."incentives") OR old_values."methods" IS DISTINCT FROM (new_values."methods") OR old_values."mode" IS DISTINCT FROM (new_values."mode") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."plan_editions" IS DISTINCT FROM (new_values."plan_editions") OR old_values."programmes" IS DISTINCT FROM (new_values."programmes") OR old_values."requirements" IS DISTINCT FROM (new_values."requirements") OR old_values."state" IS DISTINCT FROM (new_values."state") OR old_values."street_id" IS DISTINCT FROM (new_values."street_id") OR old_values."version" IS DISTINCT FROM (new_values."version")) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='dec86a120973adfdce93084ed62984820c153afd', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_34393', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_redevelopmentunit', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redevelopmentunit',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_redevelopmentunitevent" ("approved_at", "base_survey_year", "code", "created_at", "created_by_id", "digest", "district_id", "edition", "geom", "id", "incentives", "methods", "mode", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "plan_editions", "programmes", "requirements", "state", "street_id", "version") SELECT old_values."approved_at", old_values."base_survey_year", old_values."code", old_values."created_at", old_values."created_by_id", old_values."digest", old_values."district_id", old_values."edition", old_values."geom", old_values."id", old_values."incentives", old_values."methods", old_values."mode", old_values."name", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."plan_editions", old_values."programmes", old_values."requirements", old_values."state", old_values."street_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='a8cac5df40f41f739429c9112a7f879d5a30c4b9', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_6ef12', referencing='REFERENCING OLD TABLE AS old_values ', table='units_redevelopmentunit', when='AFTER')),
        ),
        migrations.AddField(
            model_name='consultation',
            name='asked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Asked by'),
        ),
        migrations.AddField(
            model_name='consultation',
            name='department',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.department', verbose_name='Department'),
        ),
        migrations.AddField(
            model_name='consultation',
            name='replied_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Replied by'),
        ),
        migrations.AddField(
            model_name='consultation',
            name='unit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consultations', to='units.redevelopmentunit', verbose_name='Redevelopment unit'),
        ),
        migrations.AddField(
            model_name='consultationevent',
            name='asked_by',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Asked by'),
        ),
        migrations.AddField(
            model_name='consultationevent',
            name='department',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.department', verbose_name='Department'),
        ),
        migrations.AddField(
            model_name='consultationevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='consultationevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.consultation'),
        ),
        migrations.AddField(
            model_name='consultationevent',
            name='replied_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Replied by'),
        ),
        migrations.AddField(
            model_name='consultationevent',
            name='unit',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.redevelopmentunit', verbose_name='Redevelopment unit'),
        ),
        migrations.AddConstraint(
            model_name='consultation',
            constraint=models.UniqueConstraint(fields=('unit', 'department', 'about'), name='consultation_once'),
        ),
        migrations.AddConstraint(
            model_name='consultation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('opinion', ''), ('replied_at__isnull', True), ('replied_by__isnull', True)), models.Q(models.Q(('opinion', ''), _negated=True), ('replied_at__isnull', False), ('replied_by__isnull', False)), _connector='OR'), name='consultation_replied_whole'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consultation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_consultationevent" ("about", "asked_at", "asked_by_id", "department_id", "due_on", "id", "opinion", "paper", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "question", "replied_at", "replied_by_id", "reply", "unit_id", "version") SELECT new_values."about", new_values."asked_at", new_values."asked_by_id", new_values."department_id", new_values."due_on", new_values."id", new_values."opinion", new_values."paper", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."question", new_values."replied_at", new_values."replied_by_id", new_values."reply", new_values."unit_id", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='1a02df356d1ad7445785d53a65413f54eeae3c46', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_626de', referencing='REFERENCING NEW TABLE AS new_values ', table='units_consultation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consultation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_consultationevent" ("about", "asked_at", "asked_by_id", "department_id", "due_on", "id", "opinion", "paper", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "question", "replied_at", "replied_by_id", "reply", "unit_id", "version") SELECT new_values."about", new_values."asked_at", new_values."asked_by_id", new_values."department_id", new_values."due_on", new_values."id", new_values."opinion", new_values."paper", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."question", new_values."replied_at", new_values."replied_by_id", new_values."reply", new_values."unit_id", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='f905c8310911e977feb4865645340a608aa60c13', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_189b7', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_consultation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consultation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_consultationevent" ("about", "asked_at", "asked_by_id", "department_id", "due_on", "id", "opinion", "paper", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "question", "replied_at", "replied_by_id", "reply", "unit_id", "version") SELECT old_values."about", old_values."asked_at", old_values."asked_by_id", old_values."department_id", old_values."due_on", old_values."id", old_values."opinion", old_values."paper", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."question", old_values."replied_at", old_values."replied_by_id", old_values."reply", old_values."unit_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='21aa3da4e826b7c1606f69a0583a13d0f22439ae', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_97c35', referencing='REFERENCING OLD TABLE AS old_values ', table='units_consultation', when='AFTER')),
        ),
        migrations.RunSQL(GUARDS, UNGUARDED),
    ]
