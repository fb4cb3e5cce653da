-- Which patches of the survey lie around the parcels that are judged?
-- A patch whose shape is not valid measures nothing: what it covered is told as not covered.
WITH moved AS MATERIALIZED (
    SELECT d.dlbm, ST_Transform(d.geom, %(srid)s) AS geom
    FROM units_landusepatch d
    WHERE d.survey_id = %(survey)s AND d.scheme = 'sandiao'
      AND d.geom && (SELECT ST_SetSRID(ST_Extent(s.stored)::geometry, %(storage_srid)s) FROM parcel s)
)
SELECT moved.dlbm, moved.geom FROM moved WHERE ST_IsValid(moved.geom)
