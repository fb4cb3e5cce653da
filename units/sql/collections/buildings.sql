-- Which buildings does the survey in force hold?
SELECT b.id AS fid, b.geom, b.district_id, b.street_id, b.code, b.name, b.use, b.floors, b.height_m, b.floor_area_m2,
       b.built_year, b.safety_grade, b.area_m2,
       (SELECT s.year FROM units_survey s WHERE s.id = b.survey_id) AS base_survey
FROM units_building b
-- Not a join: a table of a few rows is never analyzed, and the planner's guess of it then costs a sort of all rows.
WHERE b.survey_id = ANY (ARRAY(SELECT s.id FROM units_survey s WHERE s.state = 'in_force'))
