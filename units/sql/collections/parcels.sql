-- Which parcels does the survey in force hold?
SELECT p.id AS fid, p.geom, p.district_id, p.street_id, p.code, p.address, p.registered_use, p.use_scheme,
       p.documented_m2, p.area_m2, p.registered_far, p.right_nature, p.right_holder,
       (SELECT s.year FROM units_survey s WHERE s.id = p.survey_id) AS base_survey
FROM units_parcel p
-- Not a join: a table of a few rows is never analyzed, and the planner's guess of it then costs a sort of all rows.
WHERE p.survey_id = ANY (ARRAY(SELECT s.id FROM units_survey s WHERE s.state = 'in_force'))
