-- Which subjects would have another outcome than the one stored, or the same one by other rules, and how much land is it?
-- Land that lies under several subjects of a group is counted once.
WITH stored AS (
    SELECT COALESCE(parcel_id, -building_id) AS subject, outcome, fired::text[] AS fired
    FROM units_flag
    WHERE district_id = %(district)s AND criteria = %(criteria)s
), pair AS (
    SELECT COALESCE(judged.subject, stored.subject) AS subject, stored.outcome AS before, judged.outcome AS after
    FROM judged
    FULL JOIN stored ON stored.subject = judged.subject
    WHERE stored.outcome IS DISTINCT FROM judged.outcome
       OR NOT (stored.fired @> judged.fired AND stored.fired <@ judged.fired)
), placed AS (
    SELECT pair.before, pair.after, CASE WHEN pair.subject > 0 THEN 'parcel' ELSE 'building' END AS kind,
           COALESCE(parcel.code, building.code) AS code, COALESCE(parcel.geom, building.geom) AS geom
    FROM pair
    LEFT JOIN units_parcel parcel ON parcel.id = pair.subject
    LEFT JOIN units_building building ON building.id = -pair.subject
)
SELECT kind, before, after, count(*) AS subjects, ST_Area(ST_Union(geom)::geography) / 10000 AS hectares,
       array_agg(code ORDER BY code) AS codes
FROM placed
GROUP BY kind, before, after
ORDER BY kind DESC, before, after
