-- Which parcels does the survey in force hold?
SELECT p.id AS fid, p.geom, p.district_id, p.street_id, p.code, p.address, p.registered_use, p.use_scheme,
       p.documented_m2, p.area_m2, p.registered_far, p.right_nature, p.right_holder, s.year AS base_survey
FROM units_parcel p
JOIN units_survey s ON s.id = p.survey_id AND s.state = 'in_force'
