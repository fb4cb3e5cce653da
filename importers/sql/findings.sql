-- Which findings of this layer are new, which are seen again, and which of its earlier ones are resolved?
WITH resolved AS (
    UPDATE units_finding f SET state = 'resolved', resolved_at = now()
    FROM units_delivery d
    WHERE d.id = f.delivery_id AND d.survey_id = %(survey)s AND d.profile = %(profile)s AND d.id <> %(delivery)s
      AND (%(layer)s::text IS NULL OR d.layer = %(layer)s)
      AND f.state <> 'resolved' AND NOT EXISTS (SELECT FROM told t WHERE t.identity = f.identity)
)
INSERT INTO units_finding (district_id, street_id, survey_id, delivery_id, identity, code, severity, state, subjects,
    row_number, sentence, fix, measure, uom, details, geom, first_seen, last_seen, resolved_at)
SELECT district_id, street_id, survey_id, delivery_id, identity, code, severity, state, subjects,
    row_number, sentence, fix, measure, uom, details, geom, first_seen, last_seen, resolved_at
FROM told
ON CONFLICT (district_id, identity) DO UPDATE SET
    delivery_id = EXCLUDED.delivery_id, row_number = EXCLUDED.row_number, sentence = EXCLUDED.sentence,
    fix = EXCLUDED.fix, details = EXCLUDED.details, geom = EXCLUDED.geom, last_seen = EXCLUDED.last_seen,
    state = 'open', resolved_at = NULL
