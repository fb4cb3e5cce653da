"""The roles R1–R10 as groups, from the first day."""

from django.db import migrations

from units.rights import Role


def make_roles(apps, schema_editor):
    apps.get_model("auth", "Group").objects.bulk_create(
        [apps.get_model("auth", "Group")(name=role.value) for role in Role], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("units", "0002_guards"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
