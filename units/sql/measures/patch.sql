-- Which patches of the survey lie around the parcels that are judged?
-- A patch whose shape is not valid measures nothing: what it covered is told as not covered.
WITH moved AS MATERIALIZED (
    -- what the survey says of a square metre of the patch
    SELECT d.dlbm, d.tbmj::float8 / NULLIF(d.area_m2, 0) AS density, ST_Transform(d.geom, %(srid)s) AS geom
    FROM units_landusepatch d
    WHERE d.survey_id = %(survey)s AND d.scheme = 'sandiao'
      AND CASE WHEN %(patches)s::bigint[] IS NULL
               THEN d.geom && (SELECT ST_SetSRID(ST_Extent(s.stored)::geometry, %(storage_srid)s) FROM parcel s)
               ELSE d.id = ANY(%(patches)s::bigint[]) END
)
SELECT moved.dlbm, moved.density, moved.geom FROM moved WHERE ST_IsValid(moved.geom)
