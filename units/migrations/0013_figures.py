"""What a district makes in a year, and how its firms score by a published scheme."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import units.models.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('units', '0012_criteria'),
    ]

    operations = [
        migrations.CreateModel(
            name='DistrictFigure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', units.models.fields.OneOf(choices=[('gdp', 'Gross domestic product (CNY)')], max_length=12, verbose_name='Figure')),
                ('year', models.PositiveSmallIntegerField(verbose_name='Year')),
                ('value', models.DecimalField(decimal_places=2, max_digits=20, verbose_name='Value')),
                ('source', models.CharField(max_length=200, verbose_name='Source')),
                ('entered_at', models.DateTimeField(auto_now=True, verbose_name='Entered at')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='figures', to='units.district', verbose_name='District')),
                ('entered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Entered by')),
            ],
            options={
                'verbose_name': 'Figure of a district',
                'verbose_name_plural': 'Figures of districts',
                'ordering': ['district', 'figure', '-year'],
            },
        ),
        migrations.CreateModel(
            name='DistrictFigureEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('figure', units.models.fields.OneOf(choices=[('gdp', 'Gross domestic product (CNY)')], max_length=12, verbose_name='Figure')),
                ('year', models.PositiveSmallIntegerField(verbose_name='Year')),
                ('value', models.DecimalField(decimal_places=2, max_digits=20, verbose_name='Value')),
                ('source', models.CharField(max_length=200, verbose_name='Source')),
                ('entered_at', models.DateTimeField(auto_now=True, verbose_name='Entered at')),
                ('district', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='units.district', verbose_name='District')),
                ('entered_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Entered by')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='units.districtfigure')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(verbose_name='Year')),
                ('scheme', models.CharField(max_length=60, verbose_name='Scoring scheme')),
                ('digest', models.CharField(max_length=64, verbose_name='Digest')),
                ('group', models.CharField(blank=True, max_length=40, verbose_name='Group of firms')),
                ('score', models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True, verbose_name='Score')),
                ('place', models.PositiveIntegerField(blank=True, null=True, verbose_name='Rank')),
                ('rated', models.PositiveIntegerField(default=0, verbose_name='Firms rated in its group')),
                ('grade', models.CharField(blank=True, max_length=4, verbose_name='Computed grade')),
                ('reason', models.CharField(blank=True, max_length=60, verbose_name='Why there is none')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='Items')),
                ('scored_at', models.DateTimeField(auto_now_add=True, verbose_name='Scored at')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.district', verbose_name='District')),
                ('enterprise', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scores', to='units.enterprise', verbose_name='Enterprise')),
            ],
            options={
                'verbose_name': 'Computed score',
                'verbose_name_plural': 'Computed scores',
                'ordering': ['scheme', '-year', 'group', 'place'],
            },
        ),
        migrations.AddConstraint(
            model_name='districtfigure',
            constraint=models.UniqueConstraint(fields=('district', 'figure', 'year'), name='district_figure_once_a_year'),
        ),
        migrations.AddConstraint(
            model_name='districtfigure',
            constraint=models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='district_figure_above_nought'),
        ),
        migrations.AddConstraint(
            model_name='districtfigure',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='district_figure_has_a_source'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='districtfigure',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_districtfigureevent" ("district_id", "entered_at", "entered_by_id", "figure", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "value", "year") SELECT new_values."district_id", new_values."entered_at", new_values."entered_by_id", new_values."figure", new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."source", new_values."value", new_values."year" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='ab437f264dde03e8816fa830314c70e4e6e39807', level='STATEMENT', operation='INSERT', pgid='pgtrigger_insert_insert_db3e8', referencing='REFERENCING NEW TABLE AS new_values ', table='units_districtfigure', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='districtfigure',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_districtfigureevent" ("district_id", "entered_at", "entered_by_id", "figure", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "value", "year") SELECT new_values."district_id", new_values."entered_at", new_values."entered_by_id", new_values."figure", new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."source", new_values."value", new_values."year" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='925a2bc85b60504be9dc9fdabb016f8d410adc24', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_d6f2f', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='units_districtfigure', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='districtfigure',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "units_districtfigureevent" ("district_id", "entered_at", "entered_by_id", "figure", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source", "value", "year") SELECT old_values."district_id", old_values."entered_at", old_values."entered_by_id", old_values."figure", old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."source", old_values."value", old_values."year" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='6c5790b539ed505991668e7d1ccbfdc99f0a8464', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_426a2', referencing='REFERENCING OLD TABLE AS old_values ', table='units_districtfigure', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='score',
            index=models.Index(fields=['district', 'scheme', 'year'], name='score_of_a_year'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.UniqueConstraint(fields=('enterprise', 'year', 'scheme'), name='score_once_a_scheme'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('place__isnull', False), ('reason', ''), ('score__isnull', False), models.Q(('grade', ''), _negated=True)), models.Q(('place__isnull', True), ('score__isnull', True), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='score_or_the_reason_why_not'),
        ),
        migrations.RunSQL("SELECT geoinv_harden_history()", migrations.RunSQL.noop),
    ]
