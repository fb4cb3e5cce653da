"""The rows that a delivery replaced."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('units', '0003_roles'),
    ]

    operations = [
        migrations.CreateModel(
            name='Replaced',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=63, verbose_name='Table')),
                ('key', models.CharField(max_length=40, verbose_name='Primary key')),
                ('row', models.TextField(verbose_name='Row before')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='units.delivery', verbose_name='Delivery')),
            ],
            options={
                'verbose_name': 'Replaced row',
                'verbose_name_plural': 'Replaced rows',
                'constraints': [models.UniqueConstraint(fields=('delivery', 'table', 'key'), name='replaced_once_a_delivery')],
            },
        ),
    ]
