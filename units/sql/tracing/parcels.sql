-- Which parcels of the survey in force lie in a box, with their outlines?
-- `seen` is put in: the condition under which the reader may see a parcel.
SELECT ST_AsBinary(p.geom) AS wkb
FROM units_parcel p
WHERE p.survey_id = (SELECT s.id FROM units_survey s WHERE s.district_id = %(district)s AND s.state = 'in_force')
  AND {seen}
  AND p.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)
ORDER BY p.code
LIMIT %(most)s
