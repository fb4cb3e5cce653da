-- Which of the faults told are new, and which are seen again?
INSERT INTO units_finding AS f (district_id, street_id, survey_id, run_id, identity, code, layer, severity, state,
    subjects, sentence, fix, measure, uom, details, fingerprint, geom, first_seen, last_seen)
SELECT %(district)s, street_id, survey_id, %(run)s, identity, code, layer, severity, 'new', subjects, sentence, fix,
    measure, uom, details, fingerprint, geom, %(now)s, %(now)s
FROM told
ORDER BY identity
ON CONFLICT (district_id, identity) DO UPDATE SET
    run_id = EXCLUDED.run_id, survey_id = EXCLUDED.survey_id, layer = EXCLUDED.layer, severity = EXCLUDED.severity,
    street_id = EXCLUDED.street_id, subjects = EXCLUDED.subjects, sentence = EXCLUDED.sentence, fix = EXCLUDED.fix, measure = EXCLUDED.measure, uom = EXCLUDED.uom,
    details = f.details || EXCLUDED.details, fingerprint = EXCLUDED.fingerprint,
    -- Where the shape is what was seen, the first one stays: compared with last night's it could creep away unseen.
    geom = CASE WHEN f.geom IS NOT NULL AND (SELECT shaped FROM told WHERE told.identity = EXCLUDED.identity)
        THEN f.geom ELSE EXCLUDED.geom END,
    last_seen = EXCLUDED.last_seen, resolved_at = NULL,
    state = CASE WHEN f.state = 'resolved' THEN 'new' ELSE 'open' END
