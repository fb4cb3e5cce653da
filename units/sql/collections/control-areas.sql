-- Which control areas are in force?
SELECT c.id AS fid, c.geom, c.district_id, NULL::varchar AS street_id, c.code, c.name, c.kind, c.edition, c.use,
       c.area_m2
FROM units_controlarea c
WHERE c.in_force
