"""Runs of the checks, what a finding and a waiver keep of what was seen, and waivers that can be lifted."""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


GUARDS = r"""
-- A waiver changes what is served of its finding.
CREATE TRIGGER revised AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON units_waiver
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_revise('finding');
-- The members of a unit are a part of what is served and checked of it.
CREATE TRIGGER revised AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON units_unitparcel
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_revise('redevelopmentunit');
SELECT geoinv_harden_history();
"""

KNOWN = r"""
-- Of which layer, and of which field, are the findings that imports told before there were checks?
UPDATE units_finding f SET
    layer = CASE d.profile WHEN 'dltb' THEN 'patches' WHEN 'zd' THEN 'parcels' WHEN 'building' THEN 'buildings'
                           WHEN 'control' THEN 'control-areas' WHEN 'legacy' THEN 'legacy' ELSE '' END,
    details = f.details || jsonb_build_object('name', f.details ->> 'field')
FROM units_delivery d
WHERE d.id = f.delivery_id;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0003_roles'),
    ]

    operations = [
        migrations.CreateModel(
            name='CheckRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None, verbose_name='Checks')),
                ('looked', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None, verbose_name='Checks that looked anew')),
                ('skipped', models.JSONField(blank=True, default=dict, verbose_name='Checks that could not look')),
                ('edition', models.CharField(max_length=64, verbose_name='Digest of the checks')),
                ('versions', models.JSONField(blank=True, default=dict, verbose_name='Versions of the tables')),
                ('checked', models.PositiveIntegerField(default=0, verbose_name='Records looked at')),
                ('counts', models.JSONField(blank=True, default=dict, verbose_name='Counts')),
                ('by_code', models.JSONField(blank=True, default=dict, verbose_name='Counts by check')),
                ('ran_at', models.DateTimeField(verbose_name='Ran at')),
                ('seconds', models.FloatField(default=0, verbose_name='Seconds')),
            ],
            options={
                'verbose_name': 'Run of the checks',
                'verbose_name_plural': 'Runs of the checks',
                'ordering': ['-pk'],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='waiver',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='waiver',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='waiver',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='finding',
            name='fingerprint',
            field=models.CharField(blank=True, max_length=64, verbose_name='Digest of what was seen'),
        ),
        migrations.AddField(
            model_name='finding',
            name='layer',
            field=models.CharField(blank=True, max_length=20, verbose_name='Layer'),
        ),
        migrations.AddField(
            model_name='waiver',
            name='fingerprint',
            field=models.CharField(blank=True, max_length=64, verbose_name='Digest of what was waived'),
        ),
        migrations.AddField(
            model_name='waiver',
            name='lifted_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='Lifted at'),
        ),
        migrations.AddField(
            model_name='waiver',
            name='lifted_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Lifted by'),
        ),
        migrations.AddField(
            model_name='waiverevent',
            name='fingerprint',
            field=models.CharField(blank=True, max_length=64, verbose_name='Digest of what was waived'),
        ),
        migrations.AddField(
            model_name='waiverevent',
            name='lifted_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='Lifted at'),
        ),
        migrations.AddField(
            model_name='waiverevent',
            name='lifted_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Lifted by'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waiver',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_waiverevent" ("at", "by_id", "finding_id", "fingerprint", "id", "lifted_at", "lifted_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "until") SELECT new_values."at", new_values."by_id", new_values."finding_id", new_values."fingerprint", new_values."id", new_values."lifted_at", new_values."lifted_by_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."reason", new_values."until" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='d5101491310784c34b0177b09a5e5bc6b4e8ceae', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_af165', referencing='REFERENCING NEW TABLE AS new_values ', table='units_waiver', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waiver',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_waiverevent" ("at", "by_id", "finding_id", "fingerprint", "id", "lifted_at", "lifted_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "until") SELECT new_values."at", new_values."by_id", new_values."finding_id", new_values."fingerprint", new_values."id", new_values."lifted_at", new_values."lifted_by_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."reason", new_values."until" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='def7b97d1741d50c847d4777c336888a1da89daa', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_f9178', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_waiver', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='waiver',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_waiverevent" ("at", "by_id", "finding_id", "fingerprint", "id", "lifted_at", "lifted_by_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "until") SELECT old_values."at", old_values."by_id", old_values."finding_id", old_values."fingerprint", old_values."id", old_values."lifted_at", old_values."lifted_by_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."reason", old_values."until" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='8b25402aecd7b31bcf8d9dcc564db060cccbeba7', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_46810', referencing='REFERENCING OLD TABLE AS old_values ', table='units_waiver', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='waiver',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='waiver_is_lifted_by_somebody'),
        ),
        migrations.AddField(
            model_name='checkrun',
            name='district',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='check_runs', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='checkrun',
            name='ran_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Started by'),
        ),
        migrations.AddField(
            model_name='checkrun',
            name='survey',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='check_runs', to='units.survey', verbose_name='Survey'),
        ),
        migrations.AddField(
            model_name='finding',
            name='run',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='units.checkrun', verbose_name='Run of the checks'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(fields=['district', 'code', 'state'], name='finding_by_code'),
        ),
        migrations.AddIndex(
            model_name='checkrun',
            index=models.Index(fields=['district', '-id'], name='check_run_latest'),
        ),
        migrations.RunSQL(GUARDS),
        migrations.RunSQL(KNOWN),
    ]
