-- Which redevelopment units stood at that moment, approved editions and the drafts beside them?
-- A row is read in its last version before the moment: by the number of the version, as a transaction that began
-- earlier may write later. Its area follows from its shape and is that of today's row while the shape is the same.
SELECT e.pgh_obj_id AS fid, e.geom, e.district_id, e.street_id, e.code, e.name, e.edition, e.state, e.mode,
       COALESCE((SELECT p.area_m2 FROM units_redevelopmentunit p WHERE p.id = e.pgh_obj_id AND p.geom::bytea = e.geom::bytea),
                ST_Area(e.geom::geography)) AS area_m2,
       COALESCE((SELECT n.name FROM units_districtevent n
                 WHERE n.pgh_obj_id = e.district_id AND n.pgh_created_at < %(as_of)s ORDER BY n.pgh_id DESC LIMIT 1),
                (SELECT d.name FROM units_district d WHERE d.code = e.district_id)) AS district_name
FROM units_redevelopmentunitevent e
WHERE e.pgh_created_at < %(as_of)s AND e.pgh_label <> 'delete'
  AND NOT EXISTS (SELECT FROM units_redevelopmentunitevent o WHERE o.pgh_obj_id = e.pgh_obj_id AND o.pgh_id > e.pgh_id
                  AND o.pgh_created_at < %(as_of)s)
  AND e.state NOT IN ('amended', 'deleted')
