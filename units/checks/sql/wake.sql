-- Which waivers were given to what an import told, before a check looked at it? They hold for what the check sees now.
UPDATE units_waiver w SET fingerprint = told.fingerprint
FROM units_finding f
JOIN told ON told.identity = f.identity
WHERE f.district_id = %(district)s AND f.run_id IS NULL AND w.finding_id = f.id AND w.fingerprint = f.fingerprint
  AND w.fingerprint <> told.fingerprint AND told.fingerprint <> ''
