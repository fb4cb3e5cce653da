-- Which historical-legacy land was on the register at that moment?
-- A row is read in its last version before the moment: by the number of the version, as a transaction that began
-- earlier may write later. Its area follows from its shape and is that of today's row while the shape is the same.
SELECT e.pgh_obj_id AS fid, e.geom, e.district_id, e.street_id, e.code, e.address, e.state, e.used_since, e.route,
       e.user_name, e.penalty_number,
       COALESCE((SELECT p.area_m2 FROM units_legacyland p WHERE p.id = e.pgh_obj_id AND p.geom::bytea = e.geom::bytea),
                ST_Area(e.geom::geography)) AS area_m2
FROM units_legacylandevent e
WHERE e.pgh_created_at < %(as_of)s AND e.pgh_label <> 'delete'
  AND NOT EXISTS (SELECT FROM units_legacylandevent o WHERE o.pgh_obj_id = e.pgh_obj_id AND o.pgh_id > e.pgh_id
                  AND o.pgh_created_at < %(as_of)s)
