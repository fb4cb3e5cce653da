-- Which parcels and office buildings are judged, and on which parcel does each building stand?
-- An office building is one used for trade (3…), or one whose use is not told, or is office work (6…), on an office parcel.
-- Its key is its id below nought, so that no parcel has it.
WITH host AS (
    SELECT DISTINCT ON (st.id) st.id, st.subject FROM standing st WHERE st.counts ORDER BY st.id, st.area DESC, st.subject
)
SELECT subject, 'parcel' AS kind, subject AS parcel_id, NULL::bigint AS building_id, district_id, street_id,
       NULL::bigint AS host,
       %(asked_parcels)s::bigint[] IS NULL OR subject IN (SELECT unnest(%(asked_parcels)s::bigint[])) AS asked
FROM parcel
UNION ALL
SELECT -b.id, 'building', NULL, b.id, b.district_id, COALESCE(b.street_id, p.street_id), p.subject, TRUE
FROM footprint b
LEFT JOIN host h ON h.id = b.id
LEFT JOIN parcel p ON p.subject = h.subject
WHERE (%(asked_buildings)s::bigint[] IS NULL OR b.id = ANY(%(asked_buildings)s::bigint[]))
  AND (starts_with(b.use, '3') OR (b.use = '' OR starts_with(b.use, '6')) AND p.use_category = 'office')
