-- Which findings are of surveys that were replaced? Nobody mends those any more; registers outlive their round.
UPDATE units_finding f
SET state = 'resolved', resolved_at = %(now)s, run_id = CASE WHEN f.run_id IS NOT NULL THEN %(run)s END
FROM units_survey s
WHERE s.id = f.survey_id AND s.state = 'retired' AND f.district_id = %(district)s AND f.state <> 'resolved'
  AND (f.run_id IS NOT NULL OR f.layer IN ('patches', 'parcels', 'buildings'))
