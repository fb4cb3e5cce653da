-- How much floor have the buildings of the survey in force whose centre lies in a shape, and is the layer there at all?
-- `seen` is put in: the condition under which the reader may see a building. What is temporary does not count.
WITH survey AS MATERIALIZED (
    SELECT s.id FROM units_survey s WHERE s.district_id = %(district)s AND s.state = 'in_force'
), shape AS MATERIALIZED (
    SELECT ST_SetSRID(ST_GeomFromWKB(%(shape)s), 4490) AS geom
), box AS MATERIALIZED (
    SELECT (ST_Dump(ST_SetSRID(ST_GeomFromWKB(%(boxes)s), 4490))).geom
), near AS (
    SELECT b.floor_area_m2::float AS floor_m2, b.floors::float * b.area_m2 AS estimated_m2, b.area_m2
    FROM units_building b
    WHERE b.survey_id = (SELECT id FROM survey) AND NOT b.temporary AND {seen}
      AND EXISTS (SELECT 1 FROM box WHERE b.geom && box.geom)
      AND ST_Intersects((SELECT geom FROM shape), ST_Centroid(b.geom))
)
SELECT count(*) AS buildings, COALESCE(sum(floor_m2), 0) AS recorded_m2,
       COALESCE(sum(estimated_m2) FILTER (WHERE floor_m2 IS NULL), 0) AS estimated_m2,
       count(*) FILTER (WHERE floor_m2 IS NULL AND estimated_m2 IS NULL) AS unknown,
       COALESCE(sum(area_m2), 0) AS footprint_m2,
       EXISTS (SELECT 1 FROM units_building b WHERE b.survey_id = (SELECT id FROM survey)) AS delivered
FROM near
