"""Find the versions of a row by its code, also of one that was deleted."""

from django.db import migrations

REGISTERS = ("parcel", "building", "legacyland", "redevelopmentunit", "determination")
MADE = "".join(f"CREATE INDEX units_{name}event_code ON units_{name}event (code);\n" for name in REGISTERS)
GONE = "".join(f"DROP INDEX units_{name}event_code;\n" for name in REGISTERS)


class Migration(migrations.Migration):
    dependencies = [("units", "0022_saved_views")]

    operations = [migrations.RunSQL(MADE, GONE)]
