"""The surveyed area beside the measured one, of contract and papers."""

from django.db import migrations

import units.models.measured


class Migration(migrations.Migration):
    dependencies = [
        ("units", "0013_figures"),
    ]

    operations = [
        migrations.AddField(
            model_name="measured",
            name="surveyed_difference",
            field=units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
        ),
        migrations.AddField(
            model_name="measured",
            name="surveyed_m2",
            field=units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True),
        ),
    ]
