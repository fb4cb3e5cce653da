"""Mappings that people keep by name for the next delivery of the same make."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("importers", "0003_closed_figures"),
        ("units", "0006_unit_size"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MappingTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="Name")),
                ("profile", models.CharField(max_length=40, verbose_name="Profile")),
                ("columns", models.JSONField(default=list, verbose_name="Columns")),
                ("mapping", models.JSONField(verbose_name="Mapping")),
                ("used_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="Used last")),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="By",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="units.district",
                        verbose_name="District",
                    ),
                ),
            ],
            options={
                "verbose_name": "Mapping template",
                "verbose_name_plural": "Mapping templates",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("profile", "district", "name"), name="mapping_name_once", nulls_distinct=False
                    )
                ],
            },
        ),
    ]
