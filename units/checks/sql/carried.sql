-- Which open findings stand as they are, because nothing that they depend on changed since they were last looked at?
UPDATE units_finding f SET state = 'open', run_id = %(run)s, last_seen = %(now)s
FROM unnest(%(codes)s::text[], %(layers)s::text[], %(of_survey)s::boolean[]) AS carried (code, layer, of_survey)
WHERE carried.code = f.code AND carried.layer = f.layer AND f.district_id = %(district)s AND f.state <> 'resolved'
  AND f.run_id IS NOT NULL AND (NOT carried.of_survey OR f.survey_id IS NULL OR f.survey_id = %(survey)s)
