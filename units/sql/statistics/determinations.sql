-- Which parcels and buildings had people found to be low-efficiency at that moment, and for which reasons?
-- A record is read in its last version before the moment, and not at all where that one says it was deleted.
WITH known AS (
    SELECT DISTINCT ON (e.pgh_obj_id) e.*
    FROM units_determinationevent e
    WHERE e.district_id = %(district)s AND e.pgh_created_at < %(moment)s
    ORDER BY e.pgh_obj_id, e.pgh_created_at DESC, e.pgh_id DESC
)
SELECT COALESCE(k.parcel_id, -k.building_id) AS subject, k.parcel_id, k.building_id, k.district_id, k.street_id,
       k.category, k.subtype, k.reason_codes::text[] AS reasons, k.listed_since
FROM known k
WHERE k.pgh_label <> 'delete' AND k.result = 'low' AND k.state = ANY(%(states)s::text[])
