"""Proposals to store a shape that cannot be stored as delivered, and the consents given to them."""

import django.contrib.gis.db.models.fields
import django.db.models.deletion
import units.models.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('importers', '0004_mappings'),
        ('units', '0006_unit_size'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('profile', models.CharField(max_length=40, verbose_name='Profile')),
                ('row_digest', models.BinaryField(max_length=32, verbose_name='Digest of the row')),
                ('method', models.CharField(max_length=80, verbose_name='Method')),
                ('result', models.CharField(max_length=64, verbose_name='Digest of the result')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='At')),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='Withdrawn at')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='By')),
                ('district', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='units.district', verbose_name='District')),
                ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Withdrawn by')),
            ],
            options={
                'verbose_name': 'Consent',
                'verbose_name_plural': 'Consents',
                'ordering': ['-at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('district', 'profile', 'row_digest'), name='consent_once_a_row')],
            },
        ),
        migrations.CreateModel(
            name='Repair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row_number', models.PositiveIntegerField(verbose_name='Row of the file')),
                ('key', models.CharField(blank=True, max_length=80, verbose_name='Identifier')),
                ('profile', models.CharField(max_length=40, verbose_name='Profile')),
                ('row_digest', models.BinaryField(max_length=32, verbose_name='Digest of the row')),
                ('method', models.CharField(help_text='Steps, joined by +', max_length=80, verbose_name='Method')),
                ('state', units.models.fields.OneOf(choices=[('proposed', 'Proposed'), ('automatic', 'Taken automatically'), ('accepted', 'Agreed to'), ('declined', 'Declined')], max_length=9, verbose_name='State')),
                ('taken', models.BooleanField(default=False, verbose_name='Taken')),
                ('area_before', models.FloatField(null=True, verbose_name='Area before (m²)')),
                ('area_after', models.FloatField(verbose_name='Area after (m²)')),
                ('change_m2', models.FloatField(null=True, verbose_name='Change of area (m²)')),
                ('vertices_before', models.PositiveIntegerField(verbose_name='Vertices before')),
                ('vertices_after', models.PositiveIntegerField(verbose_name='Vertices after')),
                ('rings_before', models.PositiveIntegerField(verbose_name='Rings before')),
                ('parts_after', models.PositiveIntegerField(verbose_name='Parts after')),
                ('displacement', models.FloatField(verbose_name='Largest displacement (m)')),
                ('gap', models.FloatField(default=0, verbose_name='Widest gap of a ring (m)')),
                ('dropped', models.PositiveIntegerField(default=0, verbose_name='Rings dropped')),
                ('place', models.JSONField(help_text='x, y in the system as delivered', null=True, verbose_name='Place of the fault')),
                ('before', models.BinaryField(verbose_name='Shape as delivered')),
                ('srid', models.IntegerField(null=True, verbose_name='Reference system as delivered')),
                ('after', django.contrib.gis.db.models.fields.MultiPolygonField(srid=4490, verbose_name='Shape')),
                ('result', models.CharField(max_length=64, verbose_name='Digest of the result')),
                ('at', models.DateTimeField(blank=True, null=True, verbose_name='Decided at')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='Decided by')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='units.delivery', verbose_name='Delivery')),
            ],
            options={
                'verbose_name': 'Repair',
                'verbose_name_plural': 'Repairs',
                'ordering': ['delivery', 'row_number'],
                'constraints': [models.UniqueConstraint(fields=('delivery', 'row_number'), name='repair_once_a_row')],
            },
        ),
    ]
