"""Views of the map that people keep."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("units", "0021_field_checks"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="Name")),
                ("address", models.CharField(max_length=2000, verbose_name="Address")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="Version")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="Made at")),
                ("changed_at", models.DateTimeField(auto_now=True, verbose_name="Changed at")),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="units.district",
                        verbose_name="Shared in the district",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="Owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "Saved view",
                "verbose_name_plural": "Saved views",
                "ordering": ["name", "pk"],
                "indexes": [models.Index(fields=["district"], name="saved_view_district")],
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "name"), name="saved_view_name_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True), models.Q(("address", ""), _negated=True)
                        ),
                        name="saved_view_has_name_and_address",
                    ),
                ],
            },
        ),
    ]
