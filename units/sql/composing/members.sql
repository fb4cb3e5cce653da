-- Which parcels of the survey in force lie in the boxes of a shape?
-- `seen` is put in: the condition under which the reader may see a parcel.
WITH box AS MATERIALIZED (
    SELECT (ST_Dump(ST_SetSRID(ST_GeomFromWKB(%(boxes)s), 4490))).geom
)
SELECT DISTINCT ON (p.code) p.id, p.code, p.address, p.street_id, p.area_m2, {seen} AS seen, ST_AsBinary(p.geom) AS wkb
FROM box JOIN units_parcel p ON p.geom && box.geom
WHERE p.survey_id = (SELECT s.id FROM units_survey s WHERE s.district_id = %(district)s AND s.state = 'in_force')
ORDER BY p.code
