"""Further kinds of control areas: the layers of the survey and the survey units of the provinces."""

from django.db import migrations

import units.models.fields

BEFORE = [
    "ecological_red_line",
    "basic_farmland",
    "development_boundary",
    "master_plan",
    "special_plan",
    "block_plan",
    "plot_plan",
    "second_survey_construction",
    "industrial_line",
    "park",
    "heritage",
    "buried_relics",
    "hazard",
    "reservation",
    "key_area",
    "renewal_plan",
    "approved_batch",
]
AFTER = [*BEFORE, "urban_land", "village_survey", "low_use_unit"]


def held_to(kinds):
    """Let the database hold the column to these: Django takes choices for no matter of its own."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        "ALTER TABLE units_controlarea DROP CONSTRAINT units_controlarea_kind_check,"
        f" ADD CONSTRAINT units_controlarea_kind_check CHECK (kind IN ({listed}))"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("units", "0006_unit_size"),
    ]

    operations = [
        migrations.AlterField(
            model_name="controlarea",
            name="kind",
            field=units.models.fields.OneOf(
                choices=[
                    ("ecological_red_line", "Ecological red line"),
                    ("basic_farmland", "Permanent basic farmland"),
                    ("development_boundary", "Urban development boundary"),
                    ("master_plan", "Land-use master plan"),
                    ("special_plan", "Special plan of redevelopment"),
                    ("block_plan", "Detailed plan, street-block level"),
                    ("plot_plan", "Detailed plan, plot level"),
                    ("second_survey_construction", "Construction land of the second survey"),
                    ("industrial_line", "Industrial control line"),
                    ("park", "Industrial park"),
                    ("heritage", "Heritage and historic area"),
                    ("buried_relics", "Buried relics"),
                    ("hazard", "Geological hazard"),
                    ("reservation", "Road, river, green, utility reservation"),
                    ("key_area", "Key area of redevelopment"),
                    ("renewal_plan", "Urban renewal plan"),
                    ("approved_batch", "Approved, not supplied"),
                    ("urban_land", "Land of towns and villages"),
                    ("village_survey", "Survey area of a village"),
                    ("low_use_unit", "Survey unit of low-efficiency land"),
                ],
                max_length=30,
                verbose_name="Kind",
            ),
        ),
        migrations.RunSQL(held_to(AFTER), held_to(BEFORE)),
    ]
