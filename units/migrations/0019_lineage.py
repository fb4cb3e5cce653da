"""Operations on units, and which code came from which: rows that nobody changes or deletes."""

import django.db.models.deletion
import units.models.fields
from django.conf import settings
from django.db import migrations, models


KEPT = """
CREATE TRIGGER reshaping_kept_for_ever BEFORE UPDATE OR DELETE ON units_reshaping
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER reshaping_not_emptied BEFORE TRUNCATE ON units_reshaping
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_reshaping ENABLE ALWAYS TRIGGER reshaping_kept_for_ever;
ALTER TABLE units_reshaping ENABLE ALWAYS TRIGGER reshaping_not_emptied;
CREATE TRIGGER lineage_kept_for_ever BEFORE UPDATE OR DELETE ON units_lineage
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER lineage_not_emptied BEFORE TRUNCATE ON units_lineage
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_lineage ENABLE ALWAYS TRIGGER lineage_kept_for_ever;
ALTER TABLE units_lineage ENABLE ALWAYS TRIGGER lineage_not_emptied;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON units_reshaping, units_lineage FROM geoinv_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0018_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reshaping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', units.models.fields.OneOf(choices=[('drawn', 'Drawn'), ('edited', 'Edited'), ('split', 'Split by a line'), ('cut_out', 'Cut out'), ('merged', 'Merged'), ('edge_moved', 'Common edge moved'), ('undone', 'Undone')], max_length=12, verbose_name='Kind')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='At')),
                ('before', models.JSONField(default=list, verbose_name='Before')),
                ('after', models.JSONField(default=list, verbose_name='After')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='By')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.district', verbose_name='District')),
                ('undoes', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='units.reshaping', verbose_name='Undoes')),
            ],
            options={
                'verbose_name': 'Operation on units',
                'verbose_name_plural': 'Operations on units',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Lineage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('register', units.models.fields.OneOf(choices=[('unit', 'Redevelopment unit'), ('parcel', 'Parcel')], max_length=8, verbose_name='Register')),
                ('from_code', models.CharField(max_length=40, verbose_name='From the code')),
                ('to_code', models.CharField(max_length=40, verbose_name='To the code')),
                ('kind', units.models.fields.OneOf(choices=[('split', 'Split'), ('merge', 'Merged'), ('renumbered', 'Renumbered')], max_length=12, verbose_name='Kind')),
                ('share', models.DecimalField(blank=True, decimal_places=6, max_digits=7, null=True, verbose_name='Share of the ground')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='At')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='By')),
                ('delivery', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.delivery', verbose_name='Delivery')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.district', verbose_name='District')),
                ('survey', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.survey', verbose_name='Survey')),
                ('reshaping', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lineage', to='units.reshaping', verbose_name='Operation on units')),
            ],
            options={
                'verbose_name': 'Descent of a code',
                'verbose_name_plural': 'Descents of codes',
                'ordering': ['id'],
            },
        ),
        migrations.AddConstraint(
            model_name='reshaping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'undone'), ('undoes__isnull', False)), models.Q(models.Q(('kind', 'undone'), _negated=True), ('undoes__isnull', True)), _connector='OR'), name='reshaping_undoes_one'),
        ),
        migrations.AddIndex(
            model_name='lineage',
            index=models.Index(fields=['register', 'district', 'from_code'], name='lineage_from'),
        ),
        migrations.AddIndex(
            model_name='lineage',
            index=models.Index(fields=['register', 'district', 'to_code'], name='lineage_to'),
        ),
        migrations.AddConstraint(
            model_name='lineage',
            constraint=models.CheckConstraint(condition=models.Q(('share__isnull', True), models.Q(('share__gte', 0), ('share__lte', 1)), _connector='OR'), name='lineage_share'),
        ),
        migrations.AddConstraint(
            model_name='lineage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'renumbered'), _negated=True), models.Q(('to_code', models.F('from_code')), _negated=True), _connector='OR'), name='lineage_renumbered_goes_on'),
        ),
        migrations.RunSQL(KEPT),
    ]
