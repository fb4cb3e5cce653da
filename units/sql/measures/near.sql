-- How far is each parcel from the next place of each kind?
-- Of a whole district they are found in memory (`nearness`), which is faster.
SELECT p.subject, a.kind, n.distance
FROM (SELECT DISTINCT kind FROM place) AS a
CROSS JOIN parcel p
CROSS JOIN LATERAL (
    SELECT ST_Distance(place.geom, p.geom) AS distance
    FROM place
    WHERE place.kind = a.kind
    ORDER BY place.geom <-> p.geom
    LIMIT 1
) AS n
