-- Which open findings of what was looked at did this run not tell? Those an import told alone come with their field.
SELECT f.id, f.code, f.layer, f.subjects[1] AS subject, f.delivery_id IS NOT NULL AND f.run_id IS NULL AS of_import,
       f.details ->> 'name' AS field
FROM units_finding f
JOIN unnest(%(codes)s::text[], %(layers)s::text[], %(of_survey)s::boolean[]) AS looked (code, layer, of_survey)
    ON looked.code = f.code AND looked.layer = f.layer
WHERE f.district_id = %(district)s AND f.state <> 'resolved'
  AND (NOT looked.of_survey OR f.survey_id IS NULL OR f.survey_id = %(survey)s)
  AND NOT EXISTS (SELECT FROM told WHERE told.identity = f.identity)
