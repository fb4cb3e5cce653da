"""Keep every version of surveys and control areas too, so that the inventory can be asked as of a day."""

import django.contrib.gis.db.models.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
from django.conf import settings
from django.db import migrations, models


# What is known of the time before: when a survey was opened and put in force, and when the next one took its place.
SURVEYS = """
INSERT INTO units_surveyevent (pgh_created_at, pgh_label, pgh_obj_id, id, district_id, year, state, created_at,
                               activated_at, activated_by_id)
SELECT told.at, told.label, s.id, s.id, s.district_id, s.year, told.state, s.created_at,
       CASE WHEN told.state <> 'loaded' THEN s.activated_at END,
       CASE WHEN told.state <> 'loaded' THEN s.activated_by_id END
FROM units_survey s
CROSS JOIN LATERAL (
    SELECT 1 AS step, s.created_at AS at, 'insert' AS label, 'loaded' AS state
    UNION ALL
    SELECT 2, s.activated_at, 'update', 'in_force' WHERE s.activated_at IS NOT NULL
    UNION ALL
    SELECT 3, COALESCE((SELECT min(n.activated_at) FROM units_survey n
                        WHERE n.district_id = s.district_id AND n.activated_at > s.activated_at), now()),
           'update', 'retired'
    WHERE s.state = 'retired'
) told
ORDER BY s.id, told.step
"""
# Of control areas, how they stand: when an edition that is out of force now had been in force was not kept.
CONTROL_AREAS = """
INSERT INTO units_controlareaevent (pgh_created_at, pgh_label, pgh_obj_id, id, district_id, kind, edition, in_force,
                                    code, name, use, use_scheme, geom, delivery_id, row_number, row_digest, extra)
SELECT COALESCE(d.imported_at, now()), 'insert', c.id, c.id, c.district_id, c.kind, c.edition, c.in_force,
       c.code, c.name, c.use, c.use_scheme, c.geom, c.delivery_id, c.row_number, c.row_digest, c.extra
FROM units_controlarea c LEFT JOIN units_delivery d ON d.id = c.delivery_id
ORDER BY 1, c.id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0017_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ControlAreaEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('kind', units.models.fields.OneOf(choices=[('ecological_red_line', 'Ecological red line'), ('basic_farmland', 'Permanent basic farmland'), ('development_boundary', 'Urban development boundary'), ('master_plan', 'Land-use master plan'), ('special_plan', 'Special plan of redevelopment'), ('block_plan', 'Detailed plan, street-block level'), ('plot_plan', 'Detailed plan, plot level'), ('second_survey_construction', 'Construction land of the second survey'), ('industrial_line', 'Industrial control line'), ('park', 'Industrial park'), ('heritage', 'Heritage and historic area'), ('buried_relics', 'Buried relics'), ('hazard', 'Geological hazard'), ('reservation', 'Road, river, green, utility reservation'), ('key_area', 'Key area of redevelopment'), ('renewal_plan', 'Urban renewal plan'), ('approved_batch', 'Approved, not supplied'), ('urban_land', 'Land of towns and villages'), ('village_survey', 'Survey area of a village'), ('low_use_unit', 'Survey unit of low-efficiency land'), ('urban_village', 'Urban village'), ('industry_exit', 'Area that industry leaves'), ('industry_plan', 'Area planned for industry'), ('metro_station', 'Metro station'), ('school', 'School'), ('polluter', 'Polluting works')], max_length=30, verbose_name='Kind')),
                ('edition', models.CharField(max_length=60, verbose_name='Version')),
                ('in_force', models.BooleanField(default=False, verbose_name='In force')),
                ('code', models.CharField(blank=True, max_length=60, verbose_name='Code')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='Name')),
                ('use', models.CharField(blank=True, max_length=20, verbose_name='Planned use')),
                ('use_scheme', models.CharField(default='unknown', max_length=20, verbose_name='Code scheme of the use')),
                ('geom', django.contrib.gis.db.models.fields.MultiPolygonField(srid=4490, verbose_name='Shape')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SurveyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('year', models.PositiveSmallIntegerField(verbose_name='Year')),
                ('state', units.models.fields.OneOf(choices=[('loaded', 'Loaded'), ('in_force', 'In force'), ('retired', 'Retired')], default='loaded', max_length=10, verbose_name='State')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='Opened at')),
                ('activated_at', models.DateTimeField(blank=True, null=True, verbose_name='In force since')),
            ],
            options={
                'abstract': False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlarea',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_controlareaevent" ("code", "delivery_id", "district_id", "edition", "extra", "geom", "id", "in_force", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_digest", "row_number", "use", "use_scheme") SELECT new_values."code", new_values."delivery_id", new_values."district_id", new_values."edition", new_values."extra", new_values."geom", new_values."id", new_values."in_force", new_values."kind", new_values."name", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."row_digest", new_values."row_number", new_values."use", new_values."use_scheme" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='13078dd445205d8663213d9a71eacd6ea01fbf93', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_93f58', referencing='REFERENCING NEW TABLE AS new_values ', table='units_controlarea', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlarea',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_controlareaevent" ("code", "delivery_id", "district_id", "edition", "extra", "geom", "id", "in_force", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_digest", "row_number", "use", "use_scheme") SELECT new_values."code", new_values."delivery_id", new_values."district_id", new_values."edition", new_values."extra", new_values."geom", new_values."id", new_values."in_force", new_values."kind", new_values."name", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."row_digest", new_values."row_number", new_values."use", new_values."use_scheme" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."code" IS DISTINCT FROM (new_values."code") OR old_values."delivery_id" IS DISTINCT FROM (new_values."delivery_id") OR old_values."district_id" IS DISTINCT FROM (new_values."district_id") OR old_values."edition" IS DISTINCT FROM (new_values."edition") OR old_values."extra" IS DISTINCT FROM (new_values."extra") OR old_values."geom" IS DISTINCT FROM (new_values."geom") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."in_force" IS DISTINCT FROM (new_values."in_force") OR old_values."kind" IS DISTINCT FROM (new_values."kind") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."row_digest" IS DISTINCT FROM (new_values."row_digest") OR old_values."row_number" IS DISTINCT FROM (new_values."row_number") OR old_values."use" IS DISTINCT FROM (new_values."use") OR old_values."use_scheme" IS DISTINCT FROM (new_values."use_scheme")) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='22442f6267bdcef1320f666c0e984b7e17d69b53', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_8dc04', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_controlarea', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='controlarea',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_controlareaevent" ("code", "delivery_id", "district_id", "edition", "extra", "geom", "id", "in_force", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_digest", "row_number", "use", "use_scheme") SELECT old_values."code", old_values."delivery_id", old_values."district_id", old_values."edition", old_values."extra", old_values."geom", old_values."id", old_values."in_force", old_values."kind", old_values."name", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."row_digest", old_values."row_number", old_values."use", old_values."use_scheme" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='420d1d0e8d9f72eebf253334020cdcb25aff82ae', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_c43d8', referencing='REFERENCING OLD TABLE AS old_values ', table='units_controlarea', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='survey',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_surveyevent" ("activated_at", "activated_by_id", "created_at", "district_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "year") SELECT new_values."activated_at", new_values."activated_by_id", new_values."created_at", new_values."district_id", new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."state", new_values."year" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='db19ed9b90a50b0f72793a30c8e9041c40ee5490', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_0c29e', referencing='REFERENCING NEW TABLE AS new_values ', table='units_survey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='survey',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_surveyevent" ("activated_at", "activated_by_id", "created_at", "district_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "year") SELECT new_values."activated_at", new_values."activated_by_id", new_values."created_at", new_values."district_id", new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."state", new_values."year" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='283c84c28dd55750d8fffe2d1aeab473501268ce', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_85f88', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_survey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='survey',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_surveyevent" ("activated_at", "activated_by_id", "created_at", "district_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "state", "year") SELECT old_values."activated_at", old_values."activated_by_id", old_values."created_at", old_values."district_id", old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."state", old_values."year" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='d24a3914d384cab094178bd685716d5644562b57', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_1848e', referencing='REFERENCING OLD TABLE AS old_values ', table='units_survey', when='AFTER')),
        ),
        migrations.AddField(
            model_name='controlareaevent',
            name='delivery',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='controlareaevent',
            name='district',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='controlareaevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='controlareaevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.controlarea'),
        ),
        migrations.AddField(
            model_name='surveyevent',
            name='activated_by',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Put in force by'),
        ),
        migrations.AddField(
            model_name='surveyevent',
            name='district',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='surveyevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='surveyevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.survey'),
        ),
        migrations.RunSQL(SURVEYS, migrations.RunSQL.noop),
        migrations.RunSQL(CONTROL_AREAS, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT geoinv_harden_history()", migrations.RunSQL.noop),
    ]
