-- Which permanent buildings above ground stand around the parcels that are judged?
-- Recorded floor area counts; where there is none, footprint × floors stands in and is marked as estimated.
WITH moved AS MATERIALIZED (
    SELECT b.id, b.built_year, ST_Transform(b.geom, %(srid)s) AS geom,
           COALESCE(NULLIF(b.floor_area_m2, 0)::float8, b.area_m2 * b.floors::float8) AS floor_area,
           NULLIF(b.floor_area_m2, 0) IS NULL AS estimated
    FROM units_building b
    WHERE b.survey_id = %(survey)s AND NOT b.temporary AND b.floors IS DISTINCT FROM 0
      AND b.geom && (SELECT ST_SetSRID(ST_Extent(s.stored)::geometry, %(storage_srid)s) FROM subject s)
)
SELECT moved.*, ST_Area(geom) AS area FROM moved
