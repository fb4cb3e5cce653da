"""What firms and land are held against, and how land is used; further kinds of control areas."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
import units.models.measured
from django.db import migrations, models

BEFORE = [
    "ecological_red_line",
    "basic_farmland",
    "development_boundary",
    "master_plan",
    "special_plan",
    "block_plan",
    "plot_plan",
    "second_survey_construction",
    "industrial_line",
    "park",
    "heritage",
    "buried_relics",
    "hazard",
    "reservation",
    "key_area",
    "renewal_plan",
    "approved_batch",
    "urban_land",
    "village_survey",
    "low_use_unit",
]
AFTER = [*BEFORE, "urban_village", "industry_exit", "industry_plan", "metro_station", "school", "polluter"]

# Each change of what measures read is told (0008): of whom, and where.
TRACKED = """
SELECT geoinv_track('units_benchmark', 'benchmark');
SELECT geoinv_track('units_sectorclass', 'sector_list');
SELECT geoinv_track('units_violation', 'violation',
    'e.district_id, NULL::bigint, NULL::bigint, NULL::bigint, r.enterprise_id, NULL::geometry',
    'JOIN units_enterprise e ON e.id = r.enterprise_id');
SELECT geoinv_track('units_usestate', 'use_state',
    's.district_id, r.survey_id, r.parcel_id, r.building_id, NULL::bigint, NULL::geometry',
    'JOIN units_survey s ON s.id = r.survey_id');
-- a department that is called otherwise, of those that own something idle
SELECT geoinv_track('units_department', 'department',
    's.district_id, u.survey_id, u.parcel_id, u.building_id, NULL::bigint, NULL::geometry',
    'JOIN units_usestate u ON u.owner_department_id = r.id JOIN units_survey s ON s.id = u.survey_id');
SELECT geoinv_track('units_redevelopmentunit', 'unit',
    'r.district_id, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, ST_Envelope(r.geom)');
SELECT geoinv_track('units_controlarea', 'distance',
    'r.district_id, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, ST_Envelope(ST_Expand(r.geom, 0.03))',
    'WHERE r.kind IN (''metro_station'', ''school'', ''hazard'', ''polluter'')');
"""


def held_to(kinds):
    """Let the database hold the column to these: Django takes choices for no matter of its own."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        "ALTER TABLE units_controlarea DROP CONSTRAINT units_controlarea_kind_check,"
        f" ADD CONSTRAINT units_controlarea_kind_check CHECK (kind IN ({listed}))"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0008_measured'),
    ]

    operations = [
        migrations.CreateModel(
            name='Benchmark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('figure', units.models.fields.OneOf(choices=[('far', 'FAR'), ('coverage', 'Coverage'), ('tax_per_mu', 'Tax per mu'), ('output_per_mu', 'Output per mu'), ('investment_per_mu', 'Investment per mu')], max_length=20, verbose_name='Figure')),
                ('sector', models.CharField(blank=True, max_length=8, verbose_name='Sector code, or its beginning; blank for all')),
                ('sector_edition', models.CharField(blank=True, max_length=20, verbose_name='Edition of the sector code')),
                ('year', models.PositiveSmallIntegerField(verbose_name='From the year')),
                ('value', models.DecimalField(decimal_places=4, max_digits=14, verbose_name='Value')),
                ('uom', models.CharField(max_length=20, verbose_name='Unit of measure')),
                ('source', models.CharField(max_length=200, verbose_name='Source')),
                ('confidence', units.models.fields.OneOf(choices=[('P', 'the issuing text was read'), ('S', 'read in a copy'), ('M', 'general knowledge, not checked'), ('D', 'a demonstration value, no policy')], default='D', max_length=1, verbose_name='Confidence')),
            ],
            options={
                'verbose_name': 'Benchmark',
                'verbose_name_plural': 'Benchmarks',
            },
        ),
        migrations.CreateModel(
            name='SectorClass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('edition', models.CharField(max_length=60, verbose_name='Edition of the list')),
                ('year', models.PositiveSmallIntegerField(verbose_name='From the year')),
                ('sector', models.CharField(max_length=8, verbose_name='Sector code, or its beginning')),
                ('sector_edition', models.CharField(max_length=20, verbose_name='Edition of the sector code')),
                ('grade', units.models.fields.OneOf(choices=[('banned', 'Banned'), ('eliminated', 'To be eliminated'), ('restricted', 'Restricted')], max_length=12, verbose_name='Class')),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='What it is')),
                ('source', models.CharField(max_length=200, verbose_name='Source')),
            ],
            options={
                'verbose_name': 'Sector on a list',
                'verbose_name_plural': 'Sectors on lists',
            },
        ),
        migrations.CreateModel(
            name='UseState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('state', units.models.fields.OneOf(blank=True, choices=[('in_use', 'In use'), ('partly', 'Used in part'), ('idle', 'Idle')], max_length=8, verbose_name='State of use')),
                ('idle_since', models.DateField(blank=True, null=True, verbose_name='Idle since')),
                ('idle_m2', models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True, verbose_name='Idle area (m²)')),
                ('measures', models.JSONField(blank=True, null=True, verbose_name='Measures taken')),
                ('document', models.CharField(blank=True, max_length=200, verbose_name='Paper')),
                ('told_on', models.DateField(blank=True, null=True, verbose_name='Told on')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Version')),
            ],
            options={
                'verbose_name': 'State of use',
                'verbose_name_plural': 'States of use',
            },
        ),
        migrations.CreateModel(
            name='UseStateEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('state', units.models.fields.OneOf(blank=True, choices=[('in_use', 'In use'), ('partly', 'Used in part'), ('idle', 'Idle')], max_length=8, verbose_name='State of use')),
                ('idle_since', models.DateField(blank=True, null=True, verbose_name='Idle since')),
                ('idle_m2', models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True, verbose_name='Idle area (m²)')),
                ('measures', models.JSONField(blank=True, null=True, verbose_name='Measures taken')),
                ('document', models.CharField(blank=True, max_length=200, verbose_name='Paper')),
                ('told_on', models.DateField(blank=True, null=True, verbose_name='Told on')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Version')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Violation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('field', units.models.fields.OneOf(choices=[('safety', 'Safety at work'), ('environment', 'Environment')], max_length=12, verbose_name='Field')),
                ('authority', models.CharField(max_length=120, verbose_name='Authority')),
                ('document', models.CharField(max_length=120, verbose_name='Number of the decision')),
                ('happened_on', models.DateField(verbose_name='Decided on')),
                ('rectified', models.BooleanField(blank=True, null=True, verbose_name='Put right')),
                ('rectified_on', models.DateField(blank=True, null=True, verbose_name='Put right on')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Version')),
            ],
            options={
                'verbose_name': 'Violation',
                'verbose_name_plural': 'Violations',
            },
        ),
        migrations.CreateModel(
            name='ViolationEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('row_number', models.PositiveIntegerField(blank=True, null=True, verbose_name='Row of the file')),
                ('row_digest', models.BinaryField(blank=True, max_length=32, null=True, verbose_name='Digest of the row')),
                ('extra', models.JSONField(blank=True, default=dict, verbose_name='Further columns as delivered')),
                ('field', units.models.fields.OneOf(choices=[('safety', 'Safety at work'), ('environment', 'Environment')], max_length=12, verbose_name='Field')),
                ('authority', models.CharField(max_length=120, verbose_name='Authority')),
                ('document', models.CharField(max_length=120, verbose_name='Number of the decision')),
                ('happened_on', models.DateField(verbose_name='Decided on')),
                ('rectified', models.BooleanField(blank=True, null=True, verbose_name='Put right')),
                ('rectified_on', models.DateField(blank=True, null=True, verbose_name='Put right on')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='Version')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='enterprise',
            name='registered_in',
            field=models.CharField(blank=True, max_length=6, verbose_name='Registered in (code of the county)'),
        ),
        migrations.AddField(
            model_name='supplycontract',
            name='tax_agreed_cny_mu',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name='Tax agreed (CNY per mu and year)'),
        ),
        migrations.AlterField(
            model_name='controlarea',
            name='kind',
            field=units.models.fields.OneOf(choices=[('ecological_red_line', 'Ecological red line'), ('basic_farmland', 'Permanent basic farmland'), ('development_boundary', 'Urban development boundary'), ('master_plan', 'Land-use master plan'), ('special_plan', 'Special plan of redevelopment'), ('block_plan', 'Detailed plan, street-block level'), ('plot_plan', 'Detailed plan, plot level'), ('second_survey_construction', 'Construction land of the second survey'), ('industrial_line', 'Industrial control line'), ('park', 'Industrial park'), ('heritage', 'Heritage and historic area'), ('buried_relics', 'Buried relics'), ('hazard', 'Geological hazard'), ('reservation', 'Road, river, green, utility reservation'), ('key_area', 'Key area of redevelopment'), ('renewal_plan', 'Urban renewal plan'), ('approved_batch', 'Approved, not supplied'), ('urban_land', 'Land of towns and villages'), ('village_survey', 'Survey area of a village'), ('low_use_unit', 'Survey unit of low-efficiency land'), ('urban_village', 'Urban village'), ('industry_exit', 'Area that industry leaves'), ('industry_plan', 'Area planned for industry'), ('metro_station', 'Metro station'), ('school', 'School'), ('polluter', 'Polluting works')], max_length=30, verbose_name='Kind'),
        ),
        migrations.AddField(
            model_name='benchmark',
            name='delivery',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='benchmark',
            name='district',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='benchmarks', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='sectorclass',
            name='delivery',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='sectorclass',
            name='district',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sector_classes', to='units.district', verbose_name='District'),
        ),
        migrations.AddField(
            model_name='usestate',
            name='building',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='use_states', to='units.building', verbose_name='Building'),
        ),
        migrations.AddField(
            model_name='usestate',
            name='delivery',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='usestate',
            name='owner_department',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.department', verbose_name='Department in charge'),
        ),
        migrations.AddField(
            model_name='usestate',
            name='parcel',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='use_states', to='units.parcel', verbose_name='Parcel'),
        ),
        migrations.AddField(
            model_name='usestate',
            name='survey',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='use_states', to='units.survey', verbose_name='Survey'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='building',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.building', verbose_name='Building'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='delivery',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='owner_department',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.department', verbose_name='Department in charge'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='parcel',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.parcel', verbose_name='Parcel'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.usestate'),
        ),
        migrations.AddField(
            model_name='usestateevent',
            name='survey',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.survey', verbose_name='Survey'),
        ),
        migrations.AddField(
            model_name='violation',
            name='delivery',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='violation',
            name='enterprise',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='violations', to='units.enterprise', verbose_name='Enterprise'),
        ),
        migrations.AddField(
            model_name='violationevent',
            name='delivery',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.delivery', verbose_name='Delivery'),
        ),
        migrations.AddField(
            model_name='violationevent',
            name='enterprise',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.enterprise', verbose_name='Enterprise'),
        ),
        migrations.AddField(
            model_name='violationevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='violationevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.violation'),
        ),
        migrations.AddConstraint(
            model_name='benchmark',
            constraint=models.UniqueConstraint(fields=('district', 'figure', 'sector_edition', 'sector', 'year'), name='benchmark_once'),
        ),
        migrations.AddConstraint(
            model_name='benchmark',
            constraint=models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='benchmark_above_nought'),
        ),
        migrations.AddConstraint(
            model_name='benchmark',
            constraint=models.CheckConstraint(condition=models.Q(('sector', ''), models.Q(('sector_edition', ''), _negated=True), _connector='OR'), name='benchmark_sector_has_an_edition'),
        ),
        migrations.AddConstraint(
            model_name='sectorclass',
            constraint=models.UniqueConstraint(fields=('district', 'edition', 'sector_edition', 'sector'), name='sector_class_once_a_list'),
        ),
        migrations.AddConstraint(
            model_name='sectorclass',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sector', ''), _negated=True), models.Q(('sector_edition', ''), _negated=True)), name='sector_class_has_a_sector'),
        ),
        migrations.AddConstraint(
            model_name='usestate',
            constraint=models.UniqueConstraint(fields=('survey', 'parcel', 'building'), name='use_state_once_a_subject', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='usestate',
            constraint=models.CheckConstraint(condition=models.Q(('parcel__isnull', False), ('building__isnull', False), _connector='OR'), name='use_state_has_a_subject'),
        ),
        migrations.AddConstraint(
            model_name='usestate',
            constraint=models.CheckConstraint(condition=models.Q(('idle_m2__isnull', True), ('idle_m2__gte', 0), _connector='OR'), name='use_state_area_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='usestate',
            constraint=models.CheckConstraint(condition=models.Q(('idle_since__isnull', True), models.Q(('state', 'in_use'), _negated=True), _connector='OR'), name='use_state_is_idle_since'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usestate',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_usestateevent" ("building_id", "delivery_id", "document", "extra", "id", "idle_m2", "idle_since", "measures", "owner_department_id", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_digest", "row_number", "state", "survey_id", "told_on", "version") SELECT new_values."building_id", new_values."delivery_id", new_values."document", new_values."extra", new_values."id", new_values."idle_m2", new_values."idle_since", new_values."measures", new_values."owner_department_id", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."row_digest", new_values."row_number", new_values."state", new_values."survey_id", new_values."told_on", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='42130b3a7e7cc5b2ecc4ad2d5f21c3ebac25c89a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_73076', referencing='REFERENCING NEW TABLE AS new_values ', table='units_usestate', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usestate',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_usestateevent" ("building_id", "delivery_id", "document", "extra", "id", "idle_m2", "idle_since", "measures", "owner_department_id", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_digest", "row_number", "state", "survey_id", "told_on", "version") SELECT new_values."building_id", new_values."delivery_id", new_values."document", new_values."extra", new_values."id", new_values."idle_m2", new_values."idle_since", new_values."measures", new_values."owner_department_id", new_values."parcel_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."row_digest", new_values."row_number", new_values."state", new_values."survey_id", new_values."told_on", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='8e8dec2f14eae3754001cdb5117d36f7fd2af9ea', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_dc424', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_usestate', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usestate',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_usestateevent" ("building_id", "delivery_id", "document", "extra", "id", "idle_m2", "idle_since", "measures", "owner_department_id", "parcel_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "row_digest", "row_number", "state", "survey_id", "told_on", "version") SELECT old_values."building_id", old_values."delivery_id", old_values."document", old_values."extra", old_values."id", old_values."idle_m2", old_values."idle_since", old_values."measures", old_values."owner_department_id", old_values."parcel_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."row_digest", old_values."row_number", old_values."state", old_values."survey_id", old_values."told_on", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='6e8021620bddf8c9a92983c60d0e5f98c4dededa', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_52f8a', referencing='REFERENCING OLD TABLE AS old_values ', table='units_usestate', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='violation',
            constraint=models.UniqueConstraint(fields=('enterprise', 'document'), name='violation_once'),
        ),
        migrations.AddConstraint(
            model_name='violation',
            constraint=models.CheckConstraint(condition=models.Q(('rectified_on__isnull', True), models.Q(('rectified', True), ('rectified_on__gte', models.F('happened_on'))), _connector='OR'), name='violation_put_right_after_it_was_decided'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='violation',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_violationevent" ("authority", "delivery_id", "document", "enterprise_id", "extra", "field", "happened_on", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rectified", "rectified_on", "row_digest", "row_number", "version") SELECT new_values."authority", new_values."delivery_id", new_values."document", new_values."enterprise_id", new_values."extra", new_values."field", new_values."happened_on", new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."rectified", new_values."rectified_on", new_values."row_digest", new_values."row_number", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='d5da569b97a29573165bf1254f669d4edf13a4ad', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_7d433', referencing='REFERENCING NEW TABLE AS new_values ', table='units_violation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='violation',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_violationevent" ("authority", "delivery_id", "document", "enterprise_id", "extra", "field", "happened_on", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rectified", "rectified_on", "row_digest", "row_number", "version") SELECT new_values."authority", new_values."delivery_id", new_values."document", new_values."enterprise_id", new_values."extra", new_values."field", new_values."happened_on", new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."rectified", new_values."rectified_on", new_values."row_digest", new_values."row_number", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='7bdee3a98de6a30e4ad2d6b742e0effb31eb67c3', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_c3026', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_violation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='violation',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_violationevent" ("authority", "delivery_id", "document", "enterprise_id", "extra", "field", "happened_on", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rectified", "rectified_on", "row_digest", "row_number", "version") SELECT old_values."authority", old_values."delivery_id", old_values."document", old_values."enterprise_id", old_values."extra", old_values."field", old_values."happened_on", old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."rectified", old_values."rectified_on", old_values."row_digest", old_values."row_number", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='5c248a30eb8040ac9b580f0095258d1db044d2c1', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_63fe4', referencing='REFERENCING OLD TABLE AS old_values ', table='units_violation', when='AFTER')),
        ),
        migrations.AddField(
            model_name='measured',
            name='agricultural_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='approved_batch_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='approved_unsupplied_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='contract_difference',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='contract_m2',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='coverage_index_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='d_grade_years',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='energy_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='far_agreed',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='far_agreed_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='far_index_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='half_empty_months',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='hazard_distance',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='index_coverage',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='index_far',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='index_investment_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='index_output_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='index_tax_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='industry_exit_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='industry_plan_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='investment_index_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='investment_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='land_owner',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='measures_taken',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='metro_distance',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='net_developable_m2',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='net_developable_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='no_output_years',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='no_tax_years',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='output_index_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='output_per_tce',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='outside_tenant_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='owner_department',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='owner_wish_mode',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='owner_wish_paper',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='owner_wish_years',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='polluter_distance',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='power_per_mu',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='reported_idle_months',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='right_nature',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='sales_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='school_distance',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='sector_class',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='sector_edition',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='supply_state',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='tax_agreed_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='tax_agreed_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='tax_index_ratio',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='tenant_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='unit_place',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='unit_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='unused_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='urban_village_share',
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='use_state',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='vacant_floors',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='violations',
            field=units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name='measured',
            name='water_per_mu',
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
        migrations.RunSQL(held_to(AFTER), held_to(BEFORE)),
        migrations.RunSQL(TRACKED, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT geoinv_harden_history()", migrations.RunSQL.noop),
    ]
