-- Which patches of the survey in force lie in the boxes of a shape?
-- `seen` is put in: the condition under which the reader may see a patch.
WITH box AS MATERIALIZED (
    SELECT (ST_Dump(ST_SetSRID(ST_GeomFromWKB(%(boxes)s), 4490))).geom
)
SELECT DISTINCT ON (p.id) p.dlbm, p.dlmc, p.area_m2, ST_AsBinary(p.geom) AS wkb
FROM box JOIN units_landusepatch p ON p.geom && box.geom
WHERE p.survey_id = (SELECT s.id FROM units_survey s WHERE s.district_id = %(district)s AND s.state = 'in_force')
  AND {seen}
ORDER BY p.id
