-- Which parcels does the survey hold?
SELECT code, street_id, NULL AS kind, ST_AsBinary(geom) AS shape
FROM units_parcel
WHERE survey_id = %(survey)s
ORDER BY code COLLATE "C"
