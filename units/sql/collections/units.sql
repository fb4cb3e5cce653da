-- Which redevelopment units stand, approved editions and the drafts beside them?
SELECT u.id AS fid, u.geom, u.district_id, u.street_id, u.code, u.name, u.edition, u.state, u.mode, u.area_m2,
       d.name AS district_name
FROM units_redevelopmentunit u
JOIN units_district d ON d.code = u.district_id
WHERE u.state NOT IN ('amended', 'deleted')
