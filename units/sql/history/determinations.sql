-- Which records of low-efficiency land were there at that moment, each on the land that its subject had then?
-- A row is read in its last version before the moment: by the number of the version, as a transaction that began
-- earlier may write later.
SELECT e.pgh_obj_id AS fid, land.geom, e.district_id, e.street_id, e.code, land.code AS subject, e.state, e.result,
       e.category, e.subtype, e.reason_codes::text[] AS reasons, e.listed_since,
       ST_Area(land.geom::geography) AS area_m2, e.base_survey_year AS base_survey
FROM units_determinationevent e
LEFT JOIN LATERAL (
    (SELECT l.geom, l.code FROM units_parcelevent l
     WHERE l.pgh_obj_id = e.parcel_id AND l.pgh_created_at < %(as_of)s ORDER BY l.pgh_id DESC LIMIT 1)
    UNION ALL
    (SELECT l.geom, l.code FROM units_buildingevent l
     WHERE l.pgh_obj_id = e.building_id AND l.pgh_created_at < %(as_of)s ORDER BY l.pgh_id DESC LIMIT 1)
) land ON TRUE
WHERE e.pgh_created_at < %(as_of)s AND e.pgh_label <> 'delete'
  AND NOT EXISTS (SELECT FROM units_determinationevent o WHERE o.pgh_obj_id = e.pgh_obj_id AND o.pgh_id > e.pgh_id
                  AND o.pgh_created_at < %(as_of)s)
