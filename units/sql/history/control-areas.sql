-- Which control areas were in force at that moment?
-- A row is read in its last version before the moment: by the number of the version, as a transaction that began
-- earlier may write later. Its area follows from its shape and is that of today's row while the shape is the same.
SELECT e.pgh_obj_id AS fid, e.geom, e.district_id, NULL::varchar AS street_id, e.code, e.name, e.kind, e.edition,
       e.use,
       COALESCE((SELECT p.area_m2 FROM units_controlarea p WHERE p.id = e.pgh_obj_id AND p.geom::bytea = e.geom::bytea),
                ST_Area(e.geom::geography)) AS area_m2
FROM units_controlareaevent e
WHERE e.pgh_created_at < %(as_of)s AND e.pgh_label <> 'delete'
  AND NOT EXISTS (SELECT FROM units_controlareaevent o WHERE o.pgh_obj_id = e.pgh_obj_id AND o.pgh_id > e.pgh_id
                  AND o.pgh_created_at < %(as_of)s)
  AND e.in_force
