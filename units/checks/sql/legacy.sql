-- Which legacy land does the register of the district hold?
SELECT code, street_id, NULL AS kind, ST_AsBinary(geom) AS shape
FROM units_legacyland
WHERE district_id = %(district)s
ORDER BY code COLLATE "C"
