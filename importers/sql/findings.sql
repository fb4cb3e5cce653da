-- Which findings of this layer are new, which are seen again, and which of its earlier ones are resolved?
WITH resolved AS (
    UPDATE units_finding f SET state = 'resolved', resolved_at = now()
    FROM units_delivery d
    WHERE d.id = f.delivery_id AND d.district_id = %(district)s AND d.profile = %(profile)s AND d.id <> %(delivery)s
      AND (%(survey)s::bigint IS NULL OR d.survey_id = %(survey)s)
      AND (%(layer)s::text IS NULL OR d.layer = %(layer)s)
      AND d.sha256 || ' ' || d.layer <> ALL (%(beside)s)
      -- A supplement says nothing of the rows that it does not hold.
      AND (%(completes)s::bigint[] IS NULL OR d.id = ANY (%(completes)s))
      AND (%(spoken)s::text[] IS NULL OR f.subjects[1] = ANY (%(spoken)s))
      AND f.state <> 'resolved' AND NOT EXISTS (SELECT FROM told_by_file t WHERE t.identity = f.identity)
)
INSERT INTO units_finding AS f (district_id, street_id, survey_id, delivery_id, identity, code, layer, severity, state,
    subjects, row_number, sentence, fix, measure, uom, details, fingerprint, geom, first_seen, last_seen, resolved_at)
SELECT district_id, street_id, survey_id, delivery_id, identity, code, layer, severity, state,
    subjects, row_number, sentence, fix, measure, uom, details, fingerprint, geom, first_seen, last_seen, resolved_at
FROM told_by_file
-- What a check has taken over keeps the check's fingerprint; what a check had found well is the import's again.
ON CONFLICT (district_id, identity) DO UPDATE SET
    delivery_id = EXCLUDED.delivery_id, row_number = EXCLUDED.row_number, sentence = EXCLUDED.sentence,
    fix = EXCLUDED.fix, details = EXCLUDED.details, geom = EXCLUDED.geom, last_seen = EXCLUDED.last_seen,
    state = 'open', resolved_at = NULL,
    run_id = CASE WHEN f.state = 'resolved' THEN NULL ELSE f.run_id END,
    severity = CASE WHEN f.run_id IS NULL OR f.state = 'resolved' THEN EXCLUDED.severity ELSE f.severity END,
    fingerprint = CASE WHEN f.run_id IS NULL OR f.state = 'resolved' THEN EXCLUDED.fingerprint ELSE f.fingerprint END
