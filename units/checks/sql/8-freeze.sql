-- Is the frozen legacy register of the district still what the municipal bureau accepted?
SELECT f.frozen_at, f.rows, f.digest, geoinv_legacy_digest(f.district_id) AS now,
       (SELECT count(*) FROM units_legacyland l WHERE l.district_id = f.district_id) AS rows_now
FROM units_freeze f
WHERE f.district_id = %(district)s AND f.digest <> geoinv_legacy_digest(f.district_id)
