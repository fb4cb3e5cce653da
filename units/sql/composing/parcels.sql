-- What do parcels of the survey in force look like, those with these codes or near these points?
-- `seen` is put in: the condition under which the reader may see a parcel.
SELECT p.code, p.street_id, ST_AsBinary(p.geom) AS wkb
FROM units_parcel p
WHERE p.survey_id = (SELECT s.id FROM units_survey s WHERE s.district_id = %(district)s AND s.state = 'in_force')
  AND {seen} AND {wanted}
ORDER BY p.code
