-- What do the criteria say of each parcel and office building of the survey in force?
-- Two questions, not one with COALESCE: a tile's box then finds its shapes by the index of either table.
SELECT f.id AS fid, p.geom, f.district_id, f.street_id, 'parcel' AS kind, p.code, p.address, f.outcome, f.category,
       f.fired, f.missing, f.criteria, p.registered_use, p.right_holder, p.area_m2,
       (SELECT s.year FROM units_survey s WHERE s.id = p.survey_id) AS base_survey
FROM units_flag f
JOIN units_parcel p ON p.id = f.parcel_id
-- Not a join: a table of a few rows is never analyzed, and the planner's guess of it then costs a sort of all rows.
WHERE p.survey_id = ANY (ARRAY(SELECT s.id FROM units_survey s WHERE s.state = 'in_force'))
UNION ALL
SELECT f.id, b.geom, f.district_id, f.street_id, 'building', b.code, b.name, f.outcome, f.category,
       f.fired, f.missing, f.criteria, NULL::varchar(20), NULL::varchar(200), b.area_m2,
       (SELECT s.year FROM units_survey s WHERE s.id = b.survey_id)
FROM units_flag f
JOIN units_building b ON b.id = f.building_id
WHERE b.survey_id = ANY (ARRAY(SELECT s.id FROM units_survey s WHERE s.state = 'in_force'))
