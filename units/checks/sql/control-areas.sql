-- Which control areas are in force? Those of one kind and version are one layer; without a code the name stands for it.
SELECT COALESCE(NULLIF(code, ''), NULLIF(name, ''), '#' || id) AS code, NULL AS street_id, kind || ' ' || edition AS kind,
       ST_AsBinary(geom) AS shape
FROM units_controlarea
WHERE district_id = %(district)s AND in_force
ORDER BY kind, edition, code COLLATE "C", id
