"""What a delivery replaced is written once and never changed: the role of the site may add it and take it away."""

from django.db import migrations

GRANTS = r"""
-- On a server of one's own the roles may be others; there the administrator repeats this for the role of the site.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE UPDATE, TRUNCATE ON importers_replaced FROM geoinv_app;
    END IF;
END $$;
"""
BACK = GRANTS.replace("REVOKE", "GRANT").replace("FROM geoinv_app", "TO geoinv_app")


class Migration(migrations.Migration):
    dependencies = [("importers", "0001_initial")]

    operations = [migrations.RunSQL(GRANTS, BACK)]
