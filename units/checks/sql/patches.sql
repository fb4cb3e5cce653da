-- Which land-use patches does the survey hold?
SELECT bsm AS code, street_id, NULL AS kind, ST_AsBinary(geom) AS shape
FROM units_landusepatch
WHERE survey_id = %(survey)s
ORDER BY bsm COLLATE "C"
