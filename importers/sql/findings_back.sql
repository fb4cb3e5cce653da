-- How do the findings stand again that the delivery had told again or resolved, now that it is taken back?
WITH kept AS MATERIALIZED (
    SELECT key::bigint AS id, row::units_finding AS r FROM importers_replaced
    WHERE delivery_id = %(delivery)s AND "table" = 'units_finding'
), before AS (
    SELECT kept.id, kept.r, coalesce(now.run_id, 0) > coalesce((kept.r).run_id, 0) AS looked_since,
        now.fingerprint AS seen, now.state AS stood, now.subjects && %(staying)s::varchar[] AS stays
    FROM kept JOIN units_finding now ON now.id = kept.id
), waived AS (
    UPDATE units_waiver w SET fingerprint = (b.r).fingerprint FROM before b
    WHERE w.finding_id = b.id AND w.fingerprint = b.seen AND b.seen <> (b.r).fingerprint
      AND (b.r).subjects <> (SELECT n.subjects FROM units_finding n WHERE n.id = b.id) AND NOT stays
), given AS (
    -- Where a check has looked since then, its word on the fault stands; which file told it is as before. The findings
    -- of rows that had been renumbered have the old numbers again, but for rows that stay as somebody edited them.
    UPDATE units_finding f SET
        identity = CASE WHEN stays THEN f.identity ELSE (b.r).identity END,
        subjects = CASE WHEN stays THEN f.subjects ELSE (b.r).subjects END,
        delivery_id = (b.r).delivery_id, row_number = (b.r).row_number,
        sentence = CASE WHEN looked_since THEN f.sentence ELSE (b.r).sentence END,
        fix = CASE WHEN looked_since THEN f.fix ELSE (b.r).fix END,
        details = CASE WHEN looked_since THEN f.details ELSE (b.r).details END,
        geom = CASE WHEN looked_since THEN f.geom ELSE (b.r).geom END,
        fingerprint = CASE WHEN looked_since THEN f.fingerprint ELSE (b.r).fingerprint END,
        severity = CASE WHEN looked_since THEN f.severity ELSE (b.r).severity END,
        state = CASE WHEN looked_since THEN f.state ELSE (b.r).state END,
        run_id = CASE WHEN looked_since THEN f.run_id ELSE (b.r).run_id END,
        last_seen = CASE WHEN looked_since THEN f.last_seen ELSE (b.r).last_seen END,
        resolved_at = CASE WHEN looked_since THEN f.resolved_at ELSE (b.r).resolved_at END
    FROM before b
    WHERE f.id = b.id
    RETURNING b.stood, f.state
)
SELECT count(*) FILTER (WHERE stood = 'resolved' AND state <> 'resolved') AS opened,
    count(*) FILTER (WHERE stood <> 'resolved' AND state = 'resolved') AS closed
FROM given
