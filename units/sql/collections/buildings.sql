-- Which buildings does the survey in force hold?
SELECT b.id AS fid, b.geom, b.district_id, b.street_id, b.code, b.name, b.use, b.floors, b.height_m, b.floor_area_m2,
       b.built_year, b.safety_grade, b.area_m2, s.year AS base_survey
FROM units_building b
JOIN units_survey s ON s.id = b.survey_id AND s.state = 'in_force'
