-- How many findings of this run are new, still open, resolved or waived?
SELECT f.code, f.severity, f.state,
       EXISTS (SELECT FROM units_waiver w
               WHERE w.finding_id = f.id AND w.lifted_at IS NULL AND w.until >= %(today)s
                 AND w.fingerprint = f.fingerprint) AS waived,
       count(*)
FROM units_finding f
WHERE f.run_id = %(run)s
GROUP BY 1, 2, 3, 4
