"""Who raised a record by hand, who approved it, and what a move keeps beside its states."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
from django.conf import settings
from django.db import migrations, models


# A form is dropped with its record; Django takes choices for no matter of its own.
FORM_STATES = "".join(
    f"""
ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_state_check,
    ADD CONSTRAINT {table}_state_check
    CHECK (state IN ('assigned', 'filling', 'co_check', 'checked', 'determined', 'dropped'));
"""
    for table in ("units_factsheet", "units_factsheetevent")
)


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0010_campaign'),
    ]

    operations = [
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
        migrations.AddField(
            model_name='determination',
            name='approved_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Approver of the flag'),
        ),
        migrations.AddField(
            model_name='determination',
            name='criteria',
            field=models.CharField(blank=True, max_length=60, verbose_name='Criteria that raised it'),
        ),
        migrations.AddField(
            model_name='determination',
            name='procedure',
            field=units.models.fields.OneOf(blank=True, choices=[('idle', 'Idle-land procedure')], max_length=8, verbose_name='Sent to another procedure'),
        ),
        migrations.AddField(
            model_name='determination',
            name='raised_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Raised by hand by'),
        ),
        migrations.AddField(
            model_name='determination',
            name='raised_reason',
            field=models.TextField(blank=True, verbose_name='Reason of the flag by hand'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='approved_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Approver of the flag'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='criteria',
            field=models.CharField(blank=True, max_length=60, verbose_name='Criteria that raised it'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='procedure',
            field=units.models.fields.OneOf(blank=True, choices=[('idle', 'Idle-land procedure')], max_length=8, verbose_name='Sent to another procedure'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='raised_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Raised by hand by'),
        ),
        migrations.AddField(
            model_name='determinationevent',
            name='raised_reason',
            field=models.TextField(blank=True, verbose_name='Reason of the flag by hand'),
        ),
        migrations.AddField(
            model_name='move',
            name='details',
            field=models.JSONField(blank=True, default=dict, verbose_name='Details'),
        ),
        migrations.AlterField(
            model_name='move',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='moves', to=settings.AUTH_USER_MODEL, verbose_name='By'),
        ),
        migrations.AddIndex(
            model_name='determination',
            index=models.Index(fields=['district', 'state'], name='determination_state'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='determination',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_determinationevent" ("approved_by_id", "base_survey_year", "building_id", "category", "code", "criteria", "decided_at", "decided_by_id", "district_id", "document_id", "evidence", "id", "listed_since", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "procedure", "raised_by_id", "raised_reason", "reason", "reason_codes", "result", "state", "street_id", "subtype", "version") SELECT new_values."approved_by_id", new_values."base_survey_year", new_values."building_id", new_values."category", new_values."code", new_values."criteria", new_values."decided_at", new_values."decided_by_id", new_values."district_id", new_values."document_id", new_values."evidence", new_values."id", new_values."listed_since", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."procedure", new_values."raised_by_id", new_values."raised_reason", new_values."reason", new_values."reason_codes", new_values."result", new_values."state", new_values."street_id", new_values."subtype", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='0d178380784b64c464b65619b0db3ff8726a538e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_5fd7a', referencing='REFERENCING NEW TABLE AS new_values ', table='units_determination', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='determination',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_determinationevent" ("approved_by_id", "base_survey_year", "building_id", "category", "code", "criteria", "decided_at", "decided_by_id", "district_id", "document_id", "evidence", "id", "listed_since", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "procedure", "raised_by_id", "raised_reason", "reason", "reason_codes", "result", "state", "street_id", "subtype", "version") SELECT new_values."approved_by_id", new_values."base_survey_year", new_values."building_id", new_values."category", new_values."code", new_values."criteria", new_values."decided_at", new_values."decided_by_id", new_values."district_id", new_values."document_id", new_values."evidence", new_values."id", new_values."listed_since", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."procedure", new_values."raised_by_id", new_values."raised_reason", new_values."reason", new_values."reason_codes", new_values."result", new_values."state", new_values."street_id", new_values."subtype", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='73fe7813fc338dea37b1f1790242394ae6e90fa6', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_d119c', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_determination', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='determination',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_determinationevent" ("approved_by_id", "base_survey_year", "building_id", "category", "code", "criteria", "decided_at", "decided_by_id", "district_id", "document_id", "evidence", "id", "listed_since", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "procedure", "raised_by_id", "raised_reason", "reason", "reason_codes", "result", "state", "street_id", "subtype", "version") SELECT old_values."approved_by_id", old_values."base_survey_year", old_values."building_id", old_values."category", old_values."code", old_values."criteria", old_values."decided_at", old_values."decided_by_id", old_values."district_id", old_values."document_id", old_values."evidence", old_values."id", old_values."listed_since", old_values."parcel_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."procedure", old_values."raised_by_id", old_values."raised_reason", old_values."reason", old_values."reason_codes", old_values."result", old_values."state", old_values."street_id", old_values."subtype", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='4e987019169f2856aa24867f067642b0eac25b20', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_32309', referencing='REFERENCING OLD TABLE AS old_values ', table='units_determination', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(('raised_by__isnull', True), models.Q(('raised_reason', ''), _negated=True), _connector='OR'), name='flag_by_hand_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(('raised_by__isnull', True), ('state__in', ['suspect', 'dropped']), models.Q(('approved_by__isnull', False), models.Q(('approved_by', models.F('raised_by')), _negated=True)), _connector='OR'), name='flag_by_hand_has_an_approver'),
        ),
        migrations.AddConstraint(
            model_name='move',
            constraint=models.CheckConstraint(condition=models.Q(('by__isnull', False), models.Q(('role', 'R11'), ('to_state', 'suspect')), _connector='OR'), name='move_is_by_a_person'),
        ),
        migrations.RunSQL(FORM_STATES, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT geoinv_harden_history();", migrations.RunSQL.noop),
    ]
