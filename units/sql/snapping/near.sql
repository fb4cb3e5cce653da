-- Which parcels of the survey in force have an edge near one of these points?
-- `seen` is put in: the condition under which the reader may see a parcel.
SELECT p.code, ST_AsBinary(p.geom) AS wkb
FROM units_parcel p
WHERE p.survey_id = (SELECT s.id FROM units_survey s WHERE s.district_id = %(district)s AND s.state = 'in_force')
  AND {seen}
  AND p.id IN (
      SELECT near.id
      FROM ST_Dump(ST_SetSRID(ST_GeomFromWKB(%(points)s), 4490)) point
      JOIN units_parcel near ON near.geom && ST_Expand(point.geom, %(reach)s)
  )
ORDER BY p.code
