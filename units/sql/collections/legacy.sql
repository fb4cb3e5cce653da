-- Which historical-legacy land is on the register?
SELECT l.id AS fid, l.geom, l.district_id, l.street_id, l.code, l.address, l.state, l.used_since, l.route,
       l.user_name, l.penalty_number, l.area_m2
FROM units_legacyland l
