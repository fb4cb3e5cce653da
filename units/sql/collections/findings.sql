-- Which findings are open, where, and which of them has somebody accepted for a time?
-- A waiver holds to the end of its last day in China, whatever the time zone of the session.
SELECT f.id AS fid, f.geom, f.district_id, f.street_id, f.identity, f.code, f.layer, f.severity, f.state, f.subjects,
       f.sentence, f.fix, f.measure, f.uom, f.first_seen, w.until AS waived_until, w.until IS NOT NULL AS waived
FROM units_finding f
LEFT JOIN (
    SELECT waiver.finding_id, waiver.fingerprint, max(waiver.until) AS until
    FROM units_waiver waiver
    WHERE waiver.lifted_at IS NULL AND waiver.until >= (now() AT TIME ZONE 'Asia/Shanghai')::date
    GROUP BY waiver.finding_id, waiver.fingerprint
) w ON w.finding_id = f.id AND w.fingerprint = f.fingerprint
WHERE f.state <> 'resolved'
