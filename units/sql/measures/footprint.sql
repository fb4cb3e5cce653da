-- Which permanent buildings above ground stand around the parcels that are measured?
-- Recorded floor area counts; where there is none, footprint × floors stands in and is marked as estimated.
WITH day AS (
    -- since when a building stands empty is a column of its file; what is no day of the calendar is not known
    SELECT b.id, regexp_match(COALESCE(b.extra ->> 'KZQSSJ', b.extra ->> '空置起始日期'),
                              '^\s*(\d{4})[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])(?:\D|$)') AS part
    FROM units_building b
    WHERE b.survey_id = %(survey)s AND b.vacant_m2 > 0
), moved AS MATERIALIZED (
    SELECT b.id, b.code, b.district_id, b.street_id, b.use, b.built_year, b.safety_grade, b.area_m2, b.geom AS stored,
           ST_Transform(CASE WHEN ST_IsValid(b.geom) THEN b.geom
                             ELSE ST_CollectionExtract(ST_MakeValid(b.geom), 3) END, %(srid)s) AS geom,
           COALESCE(NULLIF(b.floor_area_m2, 0)::float8, b.area_m2 * b.floors::float8) AS floor_area,
           NULLIF(b.floor_area_m2, 0) IS NULL AS estimated,
           b.vacant_m2::float8 AS vacant,
           (day.part[1] || day.part[2] || '01')::date + (day.part[3]::integer - 1) AS vacant_since, day.part[2] AS month
    FROM units_building b
    LEFT JOIN day ON day.id = b.id
    WHERE b.survey_id = %(survey)s AND NOT b.temporary AND b.floors IS DISTINCT FROM 0
      AND (%(footprints)s::bigint[] IS NULL OR b.id = ANY(%(footprints)s::bigint[]))
)
SELECT id, code, district_id, street_id, use, built_year, safety_grade, area_m2, stored, geom, floor_area, estimated,
       vacant, CASE WHEN extract(month FROM vacant_since) = month::integer THEN vacant_since END AS vacant_since,
       ST_Area(geom) AS area
FROM moved
