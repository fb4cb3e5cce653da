"""Rows and problems of a dry run, and what people do by hand to delivered rows of tables without versions."""

import django.contrib.gis.db.models.fields
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


# The tables that keep no versions of their rows, and the column by which people know a row.
NAMED = {
    "units_landusepatch": "bsm",
    "units_controlarea": "code",
    "units_enterprise": "name",
    "units_enterpriseyear": "year",
    "units_occupancy": "id",
    "units_supplycontract": "number",
}
EDITS = r"""
-- What somebody does by hand to a delivered row of a table without versions is noted, so that the delivery is not taken
-- back over it unseen. Deliveries, and their taking back, say so in the context of their transaction and are not noted.
CREATE FUNCTION geoinv_note_edit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told jsonb := NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    INSERT INTO importers_edited ("table", key, delivery, what, name, "user", at)
    VALUES (TG_TABLE_NAME, OLD.id, OLD.delivery_id, CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE 'edited' END,
            left(coalesce(to_jsonb(OLD) ->> TG_ARGV[0], OLD.id::text), 80), (told ->> 'user')::bigint,
            clock_timestamp());
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER edit_noted AFTER UPDATE OR DELETE ON {table}
    FOR EACH ROW WHEN (OLD.delivery_id IS NOT NULL AND
        (NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb ?| ARRAY['delivery', 'undone']) IS NOT TRUE)
    EXECUTE FUNCTION geoinv_note_edit('{name}');
ALTER TABLE {table} ENABLE ALWAYS TRIGGER edit_noted;
"""
    for table, name in NAMED.items()
)
UNNOTED = "".join(f"DROP TRIGGER edit_noted ON {table};" for table in NAMED) + "DROP FUNCTION geoinv_note_edit();"

GRANTS = r"""
-- On a server of one's own the roles may be others; there the administrator repeats this for the role of the site.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'geoinv_app') THEN
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON importers_edited FROM geoinv_app;
    END IF;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('importers', '0006_intakes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Edited',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=63, verbose_name='Table')),
                ('key', models.BigIntegerField(verbose_name='Primary key')),
                ('delivery', models.BigIntegerField(verbose_name='Delivery')),
                ('what', models.CharField(choices=[('edited', 'Edited'), ('deleted', 'Deleted')], max_length=7, verbose_name='What was done')),
                ('name', models.CharField(blank=True, max_length=80, verbose_name='Identifier')),
                ('user', models.BigIntegerField(null=True, verbose_name='By')),
                ('at', models.DateTimeField(verbose_name='At')),
            ],
            options={
                'verbose_name': 'Edit by hand',
                'verbose_name_plural': 'Edits by hand',
                'indexes': [models.Index(fields=['table', 'key'], name='edited_row')],
            },
        ),
        migrations.CreateModel(
            name='PreviewProblem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('preview', models.UUIDField(verbose_name='Preview')),
                ('row_number', models.PositiveIntegerField(verbose_name='Row of the file')),
                ('key', models.CharField(blank=True, max_length=80, verbose_name='Identifier')),
                ('code', models.CharField(max_length=40, verbose_name='Code')),
                ('severity', models.CharField(max_length=10, verbose_name='Severity')),
                ('field', models.CharField(blank=True, max_length=80, verbose_name='Field')),
                ('value', models.CharField(blank=True, max_length=200, verbose_name='Value')),
                ('sentence', models.TextField(verbose_name='Sentence')),
                ('fix', models.TextField(blank=True, verbose_name='Fix')),
                ('details', models.JSONField(default=dict, verbose_name='Details')),
                ('geom', django.contrib.gis.db.models.fields.PointField(null=True, spatial_index=False, srid=4490, verbose_name='Place')),
            ],
            options={
                'verbose_name': 'Problem of a preview',
                'verbose_name_plural': 'Problems of previews',
                'indexes': [models.Index(fields=['preview', 'code', 'row_number'], name='preview_problem_code'), models.Index(fields=['preview', 'row_number'], name='preview_problem_row'), django.contrib.postgres.indexes.GistIndex(fields=['preview', 'geom'], name='preview_problem_place')],
            },
        ),
        migrations.CreateModel(
            name='PreviewRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('preview', models.UUIDField(verbose_name='Preview')),
                ('row_number', models.PositiveIntegerField(null=True, verbose_name='Row of the file')),
                ('key', models.CharField(blank=True, max_length=80, verbose_name='Identifier')),
                ('kind', models.CharField(choices=[('new', 'New'), ('attributes', 'Attributes changed'), ('moved', 'Shape changed'), ('renumbered', 'Renumbered'), ('split', 'Split'), ('merged', 'Merged'), ('regrouped', 'Regrouped'), ('gone', 'Gone'), ('unchanged', 'Unchanged'), ('refused', 'Not taken')], max_length=10, verbose_name='Kind')),
                ('codes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None, verbose_name='Codes')),
                ('severity', models.CharField(blank=True, max_length=10, verbose_name='Severity')),
                ('changes', models.JSONField(default=dict, verbose_name='Changes: field, before and after')),
                ('together', models.PositiveIntegerField(null=True, verbose_name='Split or merged with the rows of this number')),
                ('geom', django.contrib.gis.db.models.fields.GeometryField(null=True, spatial_index=False, srid=4490, verbose_name='Shape')),
                ('before', django.contrib.gis.db.models.fields.GeometryField(null=True, spatial_index=False, srid=4490, verbose_name='Shape before')),
            ],
            options={
                'verbose_name': 'Row of a preview',
                'verbose_name_plural': 'Rows of previews',
                'indexes': [models.Index(fields=['preview', 'kind', 'row_number'], name='preview_row_kind'), models.Index(fields=['preview', 'row_number'], name='preview_row_number'), django.contrib.postgres.indexes.GistIndex(fields=['preview', 'geom'], name='preview_row_shape'), django.contrib.postgres.indexes.GistIndex(condition=models.Q(('before__isnull', False)), fields=['preview', 'before'], name='preview_row_before')],
            },
        ),
        migrations.RunSQL(EDITS, UNNOTED),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
