"""Field checks and their photos: what somebody saw is never changed or deleted."""
import django.contrib.gis.db.models.fields
import django.db.models.deletion
import units.models.fields
from django.conf import settings
from django.db import migrations, models


KEPT = """
CREATE TRIGGER field_check_kept_for_ever BEFORE UPDATE OR DELETE ON units_fieldcheck
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER field_check_not_emptied BEFORE TRUNCATE ON units_fieldcheck
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_fieldcheck ENABLE ALWAYS TRIGGER field_check_kept_for_ever;
ALTER TABLE units_fieldcheck ENABLE ALWAYS TRIGGER field_check_not_emptied;
CREATE TRIGGER field_photo_kept_for_ever BEFORE UPDATE OR DELETE ON units_fieldphoto
    FOR EACH ROW EXECUTE FUNCTION geoinv_refuse_change();
CREATE TRIGGER field_photo_not_emptied BEFORE TRUNCATE ON units_fieldphoto
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_refuse_change();
ALTER TABLE units_fieldphoto ENABLE ALWAYS TRIGGER field_photo_kept_for_ever;
ALTER TABLE units_fieldphoto ENABLE ALWAYS TRIGGER field_photo_not_emptied;
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON units_fieldcheck, units_fieldphoto FROM geoinv_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('units', '0020_states'),
    ]

    operations = [
        migrations.CreateModel(
            name='FieldCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', units.models.fields.OneOf(choices=[('as_recorded', 'As recorded'), ('differs', 'Differs from the record'), ('not_seen', 'Could not be looked at')], max_length=12, verbose_name='Verdict')),
                ('note', models.TextField(blank=True, verbose_name='Note')),
                ('position', django.contrib.gis.db.models.fields.PointField(blank=True, null=True, srid=4490, verbose_name='Position')),
                ('accuracy_m', models.FloatField(blank=True, null=True, verbose_name='Good to (m)')),
                ('distance_m', models.FloatField(blank=True, null=True, verbose_name='Distance to the subject (m)')),
                ('token', models.UUIDField(help_text='The same token twice is one check', unique=True, verbose_name='Sent once as')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='At')),
                ('building', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='field_checks', to='units.building', verbose_name='Building')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='By')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.district', verbose_name='District')),
                ('parcel', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='field_checks', to='units.parcel', verbose_name='Parcel')),
                ('street', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.street', verbose_name='Street')),
            ],
            options={
                'verbose_name': 'Field check',
                'verbose_name_plural': 'Field checks',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='FieldPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('taken_at', models.CharField(blank=True, max_length=19, verbose_name="Taken at, by the camera's clock")),
                ('position', django.contrib.gis.db.models.fields.PointField(blank=True, null=True, srid=4490, verbose_name='Position')),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.document', verbose_name='Document')),
                ('looked', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='photos', to='units.fieldcheck', verbose_name='Field check')),
            ],
            options={
                'verbose_name': 'Photo of a field check',
                'verbose_name_plural': 'Photos of field checks',
                'ordering': ['pk'],
            },
        ),
        migrations.AddIndex(
            model_name='fieldcheck',
            index=models.Index(fields=['district', '-id'], name='field_check_latest'),
        ),
        migrations.AddConstraint(
            model_name='fieldcheck',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('building__isnull', False), ('parcel__isnull', True)), models.Q(('building__isnull', True), ('parcel__isnull', False)), _connector='OR'), name='field_check_one_subject'),
        ),
        migrations.AddConstraint(
            model_name='fieldcheck',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'as_recorded'), models.Q(('note', ''), _negated=True), _connector='OR'), name='field_check_says_what_differs'),
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
