"""What was measured of each subject, kept as a relation, and the triggers that tell what has changed since."""

import django.contrib.gis.db.models.fields
import units.models.fields
import units.models.measured
from django.db import migrations, models

TRACKING = r"""
-- What was changed, of what measures read? Rows are added, one a changed row or one for all of a district, so that
-- writers never wait for each other. The first argument says what it is, the second where the rows r say whose they
-- are: district, survey, parcel, building, enterprise, box; the third what is joined to say it.
CREATE FUNCTION geoinv_stale() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    many CONSTANT integer := 2000; -- changed rows of one statement above which they are not told apart
    changed text := CASE TG_OP WHEN 'INSERT' THEN 'after' WHEN 'DELETE' THEN 'before'
                               ELSE '(SELECT * FROM before UNION ALL SELECT * FROM after)' END;
    told integer;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s AS r LIMIT %s) AS few', changed, many + 1) INTO told;
    IF told > many THEN
        EXECUTE format('INSERT INTO units_stale (district_id, survey_id, source, whole) '
                       'SELECT DISTINCT t.d, t.s, %L, TRUE FROM (SELECT %s FROM %s AS r %s) AS t (d, s, p, b, e, x) '
                       'WHERE t.d IS NOT NULL', TG_ARGV[0], replace(TG_ARGV[1], 'ST_Envelope(r.geom)', 'NULL'),
                       changed, TG_ARGV[2]);
    ELSIF told > 0 THEN
        EXECUTE format('INSERT INTO units_stale (district_id, survey_id, parcel_id, building_id, enterprise_id, box, '
                       'source, whole) SELECT t.*, %L, FALSE FROM (SELECT %s FROM %s AS r %s) AS t (d, s, p, b, e, x) '
                       'WHERE t.d IS NOT NULL', TG_ARGV[0], TG_ARGV[1], changed, TG_ARGV[2]);
    END IF;
    RETURN NULL;
END $$;

-- The same where the rows are not looked at: somebody has to look, in every district; with `whole` all is measured.
CREATE FUNCTION geoinv_stale_somewhere() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO units_stale (district_id, source, whole)
    SELECT DISTINCT s.district_id, TG_ARGV[0], TG_OP = 'TRUNCATE' OR TG_ARGV[1] = 'whole' FROM units_survey s;
    RETURN NULL;
END $$;

-- Make the triggers that tell of every change of a table. A later migration calls it for each new table that a measure
-- reads; `columns` and `joined` as above. Where no columns are said any change touches every subject.
CREATE FUNCTION geoinv_track(tracked regclass, source text, columns text DEFAULT NULL, joined text DEFAULT '')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event text;
    seen text;
BEGIN
    IF columns IS NULL THEN
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION geoinv_stale_somewhere(%L, %L)', 'stale_' || source, tracked, source, 'whole');
        RETURN;
    END IF;
    FOR event, seen IN VALUES ('INSERT', 'NEW TABLE AS after'), ('DELETE', 'OLD TABLE AS before'),
                              ('UPDATE', 'OLD TABLE AS before NEW TABLE AS after') LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION geoinv_stale(%L, %L, %L)',
                       'stale_' || source || '_on_' || lower(event), event, tracked, seen, source, columns, joined);
    END LOOP;
    EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION geoinv_stale_somewhere(%L, %L)', 'stale_' || source || '_on_truncate', tracked,
                   source, 'whole');
END $$;
REVOKE EXECUTE ON FUNCTION geoinv_track(regclass, text, text, text) FROM PUBLIC;
-- They run what a trigger's arguments say, as the owner: only the owner may make triggers of them. (A trigger that is
-- made fires for everybody.)
REVOKE EXECUTE ON FUNCTION geoinv_stale() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION geoinv_stale_somewhere() FROM PUBLIC;

SELECT geoinv_track('units_parcel', 'parcel',
    'r.district_id, r.survey_id, r.id, NULL::bigint, NULL::bigint, ST_Envelope(r.geom)');
SELECT geoinv_track('units_building', 'building',
    'r.district_id, r.survey_id, NULL::bigint, r.id, NULL::bigint, ST_Envelope(r.geom)');
SELECT geoinv_track('units_controlarea', 'control',
    'r.district_id, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, ST_Envelope(r.geom)');
SELECT geoinv_track('units_enterprise', 'enterprise',
    'r.district_id, NULL::bigint, NULL::bigint, NULL::bigint, r.id, NULL::geometry');
SELECT geoinv_track('units_enterpriseyear', 'year',
    'e.district_id, NULL::bigint, NULL::bigint, NULL::bigint, r.enterprise_id, NULL::geometry',
    'JOIN units_enterprise e ON e.id = r.enterprise_id');
SELECT geoinv_track('units_occupancy', 'occupancy',
    'COALESCE(p.district_id, e.district_id), p.survey_id, r.parcel_id, r.building_id, r.enterprise_id, NULL::geometry',
    'LEFT JOIN units_parcel p ON p.id = r.parcel_id LEFT JOIN units_enterprise e ON e.id = r.enterprise_id');
SELECT geoinv_track('units_supplycontract', 'contract',
    'p.district_id, p.survey_id, r.parcel_id, NULL::bigint, NULL::bigint, NULL::geometry',
    'JOIN units_parcel p ON p.id = r.parcel_id');
-- Patches come by the hundred thousand, and those of a survey in force are neither changed nor deleted: which are new
-- is seen by their ids when somebody looks.
CREATE TRIGGER stale_patch AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON units_landusepatch
    FOR EACH STATEMENT EXECUTE FUNCTION geoinv_stale_somewhere('patch', 'look');
"""

UNTRACKED = r"""
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT t.tgname, t.tgrelid::regclass AS tracked FROM pg_trigger t
                WHERE t.tgfoid IN ('geoinv_stale'::regproc, 'geoinv_stale_somewhere'::regproc) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.tracked);
    END LOOP;
END $$;
DROP FUNCTION geoinv_track(regclass, text, text, text);
DROP FUNCTION geoinv_stale();
DROP FUNCTION geoinv_stale_somewhere();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("units", "0007_control_kinds"),
    ]

    operations = [
        migrations.CreateModel(
            name="Measured",
            fields=[
                ("subject", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="Subject")),
                ("survey_id", models.BigIntegerField(verbose_name="Survey")),
                ("district_id", models.CharField(max_length=6, verbose_name="District")),
                ("street_id", models.CharField(max_length=9, null=True, verbose_name="Street")),
                ("kind", models.CharField(max_length=8, verbose_name="Kind")),
                ("parcel_id", models.BigIntegerField(null=True, verbose_name="Parcel")),
                ("building_id", models.BigIntegerField(null=True, verbose_name="Building")),
                ("revision", models.BigIntegerField(verbose_name="Revision")),
                ("class_mix", models.JSONField(null=True, verbose_name="Shares of the land classes")),
                ("overlay", models.JSONField(null=True, verbose_name="Where something lies over it")),
                ("gaps", models.JSONField(default=dict, verbose_name="Facts missing")),
                ("main_class", models.TextField(null=True)),
                ("main_class_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("construction_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("covered_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("mismatch", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("use_category", models.TextField(null=True)),
                ("class_category", models.TextField(null=True)),
                ("far", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("far_estimated_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("coverage", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("buildings", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("built_year_min", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("age", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("area_m2", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("documented_m2", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("area_difference", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("registered_use", models.TextField(null=True)),
                ("use_scheme", models.TextField(null=True)),
                ("registered_far", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("registered_coverage", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("owner_wish", models.TextField(null=True)),
                ("building_category", models.TextField(null=True)),
                ("floor_area_m2", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("built_year_max", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("unsafe_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("vacancy", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("vacant_months", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("idle_months", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("firms", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("tax_per_floor_m2", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("floor_tax_mean", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("floor_tax_peers", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("floor_tax_ratio", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("tax_per_mu", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("output_per_mu", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("sector", models.TextField(null=True)),
                ("sector_division", models.TextField(null=True)),
                ("sector_tax_mean", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("sector_peers", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("tax_ratio", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("above_scale", models.BooleanField(null=True)),
                ("strategic", models.BooleanField(null=True)),
                ("production_years", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("violation_open", models.BooleanField(null=True)),
                ("grade", models.TextField(null=True)),
                ("contracts", units.models.measured.Rounded(decimal_places=0, max_digits=40, null=True)),
                ("start_overdue", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("completion_overdue", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("completed_for", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("stopped_for", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("investment_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("developed_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                (
                    "ecological_red_line_share",
                    units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
                ),
                ("basic_farmland_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                (
                    "development_boundary_share",
                    units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
                ),
                ("master_plan_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("special_plan_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("block_plan_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("plot_plan_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                (
                    "second_survey_construction_share",
                    units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True),
                ),
                ("industrial_line_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("park_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("heritage_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("buried_relics_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("hazard_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("reservation_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("key_area_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("renewal_plan_share", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
                ("ecological_red_line_m2", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("basic_farmland_m2", units.models.measured.Rounded(decimal_places=2, max_digits=40, null=True)),
                ("planned_use", models.TextField(null=True)),
                ("planned_use_category", models.TextField(null=True)),
                ("plan_conflict", units.models.measured.Rounded(decimal_places=4, max_digits=40, null=True)),
            ],
            options={
                "verbose_name": "Measured subject",
                "verbose_name_plural": "Measured subjects",
                "indexes": [models.Index(fields=["survey_id", "revision"], name="measured_revision")],
            },
        ),
        migrations.CreateModel(
            name="Measurement",
            fields=[
                ("survey_id", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="Survey")),
                ("district_id", models.CharField(max_length=6, verbose_name="District")),
                ("edition", models.CharField(max_length=64, verbose_name="Digest of the measures")),
                ("standing", models.CharField(max_length=64, verbose_name="Digest of what all subjects stand on")),
                ("patches", models.JSONField(default=list, verbose_name="Patches seen: how many, and the highest id")),
                ("means", models.JSONField(default=list, verbose_name="Means of the district")),
                ("revision", models.BigIntegerField(default=0, verbose_name="Revision")),
                ("measured_at", models.DateTimeField(verbose_name="Measured at")),
                ("full_at", models.DateTimeField(verbose_name="Measured wholly at")),
            ],
            options={
                "verbose_name": "Measurement",
                "verbose_name_plural": "Measurements",
            },
        ),
        migrations.CreateModel(
            name="Stale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("district_id", models.CharField(max_length=6, verbose_name="District")),
                ("survey_id", models.BigIntegerField(null=True, verbose_name="Survey")),
                ("source", models.CharField(max_length=30, verbose_name="What was changed")),
                ("whole", models.BooleanField(default=False, verbose_name="All of the district")),
                ("parcel_id", models.BigIntegerField(null=True, verbose_name="Parcel")),
                ("building_id", models.BigIntegerField(null=True, verbose_name="Building")),
                ("enterprise_id", models.BigIntegerField(null=True, verbose_name="Enterprise")),
                (
                    "box",
                    django.contrib.gis.db.models.fields.PolygonField(
                        null=True, spatial_index=False, srid=4490, verbose_name="Around it"
                    ),
                ),
            ],
            options={
                "verbose_name": "Change not yet measured",
                "verbose_name_plural": "Changes not yet measured",
                "indexes": [models.Index(fields=["district_id"], name="stale_district")],
            },
        ),
        migrations.AddField(
            model_name="flagrun",
            name="kind",
            field=units.models.fields.OneOf(
                choices=[("full", "Full"), ("changed", "Of what has changed")],
                default="full",
                max_length=8,
                verbose_name="Kind",
            ),
        ),
        migrations.AddField(
            model_name="flagrun",
            name="revision",
            field=models.BigIntegerField(null=True, verbose_name="Revision of what was measured"),
        ),
        migrations.RunSQL(TRACKING, UNTRACKED),
    ]
