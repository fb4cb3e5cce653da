-- What do the criteria say of each parcel of the survey in force?
SELECT f.id AS fid, p.geom, f.district_id, f.street_id, p.code, p.address, f.outcome, f.category, f.fired, f.missing,
       f.criteria, p.registered_use, p.right_holder, p.area_m2, s.year AS base_survey
FROM units_flag f
JOIN units_parcel p ON p.id = f.parcel_id
JOIN units_survey s ON s.id = p.survey_id AND s.state = 'in_force'
