-- Which parcels did the survey that was in force hold at that moment?
-- A row is read in its last version before the moment: by the number of the version, as a transaction that began
-- earlier may write later. Its area follows from its shape and is that of today's row while the shape is the same.
SELECT e.pgh_obj_id AS fid, e.geom, e.district_id, e.street_id, e.code, e.address, e.registered_use, e.use_scheme,
       e.documented_m2,
       COALESCE((SELECT p.area_m2 FROM units_parcel p WHERE p.id = e.pgh_obj_id AND p.geom::bytea = e.geom::bytea),
                ST_Area(e.geom::geography)) AS area_m2,
       e.registered_far, e.right_nature, e.right_holder,
       (SELECT y.year FROM units_survey y WHERE y.id = e.survey_id) AS base_survey
FROM units_parcelevent e
WHERE e.pgh_created_at < %(as_of)s AND e.pgh_label <> 'delete'
  AND NOT EXISTS (SELECT FROM units_parcelevent o WHERE o.pgh_obj_id = e.pgh_obj_id AND o.pgh_id > e.pgh_id
                  AND o.pgh_created_at < %(as_of)s)
  AND e.survey_id = ANY (ARRAY(
    SELECT s.pgh_obj_id FROM units_surveyevent s
    WHERE s.pgh_created_at < %(as_of)s AND s.state = 'in_force' AND s.pgh_label <> 'delete'
      AND NOT EXISTS (SELECT FROM units_surveyevent o WHERE o.pgh_obj_id = s.pgh_obj_id AND o.pgh_id > s.pgh_id
                      AND o.pgh_created_at < %(as_of)s)))
