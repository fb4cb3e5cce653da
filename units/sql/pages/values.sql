-- What was measured of each flagged subject that the reader sees, and is it open to him?
-- The parts in braces are our own text: the column of the measure and the rights; every value is a parameter.
SELECT f.id, {value} AS value, {open} AS open, CASE WHEN m.parcel_id IS NULL THEN 0 ELSE m.area_m2 END AS area_m2
FROM units_flag f
JOIN units_measured m ON m.subject = COALESCE(f.parcel_id, -f.building_id)
WHERE f.criteria = %(criteria)s AND m.kind = ANY(%(kinds)s) AND {rows}
AND m.survey_id = ANY (ARRAY(SELECT s.id FROM units_survey s WHERE s.state = 'in_force'))
ORDER BY f.id
