-- Which buildings does the survey hold?
SELECT code, street_id, NULL AS kind, ST_AsBinary(geom) AS shape
FROM units_building
WHERE survey_id = %(survey)s
ORDER BY code COLLATE "C"
