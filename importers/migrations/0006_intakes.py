"""Uploads, their layers on the way to a delivery, and files that are taken once more."""

import django.db.models.deletion
import units.models.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('importers', '0005_repairs'),
        ('units', '0006_unit_size'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Intake',
            fields=[
                ('job', models.BigIntegerField(blank=True, null=True, verbose_name='Job')),
                ('begun_at', models.DateTimeField(blank=True, null=True, verbose_name='Begun at')),
                ('stop', models.BooleanField(default=False, verbose_name='Asked to stop')),
                ('progress', models.JSONField(blank=True, default=dict, help_text='Step, rows done, rows in all', verbose_name='Progress')),
                ('error', models.JSONField(blank=True, help_text='Code, message and hint', null=True, verbose_name='Error')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('year', models.PositiveSmallIntegerField(verbose_name='Survey')),
                ('received_at', models.DateTimeField(auto_now_add=True, verbose_name='Received at')),
                ('files', models.JSONField(default=list, help_text='Name, size and the name it is kept under', verbose_name='Files')),
                ('sha256', models.CharField(blank=True, max_length=64, verbose_name='Digest of the files')),
                ('state', units.models.fields.OneOf(choices=[('inspecting', 'Being looked at'), ('open', 'Open'), ('failed', 'Failed'), ('closed', 'Closed')], default='inspecting', max_length=10, verbose_name='State')),
                ('notes', models.JSONField(blank=True, default=list, verbose_name='Notes')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Uploaded by')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='units.district', verbose_name='District')),
            ],
            options={
                'verbose_name': 'Intake',
                'verbose_name_plural': 'Intakes',
                'ordering': ['-received_at'],
            },
        ),
        migrations.CreateModel(
            name='IntakeLayer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.BigIntegerField(blank=True, null=True, verbose_name='Job')),
                ('begun_at', models.DateTimeField(blank=True, null=True, verbose_name='Begun at')),
                ('stop', models.BooleanField(default=False, verbose_name='Asked to stop')),
                ('progress', models.JSONField(blank=True, default=dict, help_text='Step, rows done, rows in all', verbose_name='Progress')),
                ('error', models.JSONField(blank=True, help_text='Code, message and hint', null=True, verbose_name='Error')),
                ('number', models.PositiveSmallIntegerField(verbose_name='Number')),
                ('file', models.CharField(max_length=255, verbose_name='File')),
                ('place', models.CharField(max_length=1000, verbose_name='Place')),
                ('name', models.CharField(max_length=255, verbose_name='Layer')),
                ('told', models.JSONField(default=dict, verbose_name='Verdicts')),
                ('asked', models.JSONField(blank=True, null=True, verbose_name='Asked')),
                ('state', units.models.fields.OneOf(choices=[('waiting', 'Waiting'), ('previewing', 'Being previewed'), ('previewed', 'Previewed'), ('importing', 'Being taken'), ('imported', 'Taken'), ('failed', 'Failed'), ('interrupted', 'Interrupted'), ('undone', 'Taken back')], default='waiting', max_length=12, verbose_name='State')),
                ('result', models.JSONField(blank=True, null=True, verbose_name='Result')),
                ('preview', models.UUIDField(blank=True, null=True, verbose_name='Preview')),
                ('basis', models.JSONField(blank=True, null=True, verbose_name='Previewed against')),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Asked by')),
                ('delivery', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='units.delivery', verbose_name='Delivery')),
                ('intake', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='layers', to='importers.intake', verbose_name='Intake')),
            ],
            options={
                'verbose_name': 'Layer of an intake',
                'verbose_name_plural': 'Layers of intakes',
                'ordering': ['number'],
            },
        ),
        migrations.AddIndex(
            model_name='intake',
            index=models.Index(fields=['district', '-received_at'], name='importers_i_distric_18a23a_idx'),
        ),
        migrations.AddConstraint(
            model_name='intakelayer',
            constraint=models.UniqueConstraint(fields=('intake', 'number'), name='layer_once_an_intake'),
        ),
        migrations.CreateModel(
            name='Retake',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('job', models.BigIntegerField(blank=True, null=True, verbose_name='Job')),
                ('begun_at', models.DateTimeField(blank=True, null=True, verbose_name='Begun at')),
                ('stop', models.BooleanField(default=False, verbose_name='Asked to stop')),
                ('progress', models.JSONField(blank=True, default=dict, help_text='Step, rows done, rows in all', verbose_name='Progress')),
                ('error', models.JSONField(blank=True, help_text='Code, message and hint', null=True, verbose_name='Error')),
                ('state', units.models.fields.OneOf(choices=[('working', 'Being taken'), ('done', 'Taken'), ('failed', 'Failed')], default='working', max_length=10, verbose_name='State')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Asked by')),
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='units.delivery', verbose_name='Delivery')),
                ('made', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='units.delivery', verbose_name='Delivery that it made')),
            ],
            options={
                'verbose_name': 'File taken once more',
                'verbose_name_plural': 'Files taken once more',
            },
        ),
    ]
