-- Which parcels and buildings does the criteria set call candidates, and by which rules?
SELECT COALESCE(f.parcel_id, -f.building_id) AS subject, f.parcel_id, f.building_id, f.district_id, f.street_id,
       f.category, '' AS subtype, f.fired::text[] AS reasons, NULL::date AS listed_since
FROM units_flag f
WHERE f.district_id = %(district)s AND f.criteria = %(criteria)s AND f.outcome = 'candidate'
