"""Leases of what people have open, and drafts that are kept until they are saved."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import units.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("units", "0014_surveyed_area"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    units.models.fields.OneOf(
                        choices=[
                            ("unit", "Redevelopment unit"),
                            ("form", "Survey form"),
                            ("record", "Determination"),
                            ("legacy", "Legacy land"),
                            ("criteria", "Criteria set"),
                        ],
                        max_length=8,
                        verbose_name="Kind",
                    ),
                ),
                ("key", models.CharField(max_length=60, verbose_name="Key")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="Version")),
                ("content", models.JSONField(verbose_name="Content")),
                ("kept_at", models.DateTimeField(auto_now=True, verbose_name="Kept at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_drafts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="User",
                    ),
                ),
            ],
            options={
                "verbose_name": "Kept draft",
                "verbose_name_plural": "Kept drafts",
                "ordering": ["-kept_at"],
                "constraints": [models.UniqueConstraint(fields=("user", "kind", "key"), name="kept_draft_once_a_key")],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "register",
                    units.models.fields.OneOf(
                        choices=[
                            ("unit", "Redevelopment unit"),
                            ("form", "Survey form"),
                            ("record", "Determination"),
                            ("legacy", "Legacy land"),
                            ("criteria", "Criteria set"),
                        ],
                        max_length=8,
                        verbose_name="Register",
                    ),
                ),
                ("code", models.CharField(max_length=80, verbose_name="Code")),
                ("district", models.CharField(blank=True, max_length=6, verbose_name="District")),
                ("since", models.DateTimeField(verbose_name="Since")),
                ("until", models.DateTimeField(verbose_name="Until")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="User",
                    ),
                ),
            ],
            options={
                "verbose_name": "Lease",
                "verbose_name_plural": "Leases",
                "indexes": [models.Index(fields=["until"], name="lease_until")],
                "constraints": [
                    models.UniqueConstraint(fields=("register", "code", "district", "user"), name="lease_once_a_person")
                ],
            },
        ),
    ]
