-- How far is each record from the next one, and how far would it be if they lay at random?
-- Clark and Evans: the mean distance between centres over 1 / (2 √density); below 1 they lie in clusters.
WITH nearest AS (
    SELECT a.subject, near.metres
    FROM pg_temp.centre a
    CROSS JOIN LATERAL (
        SELECT a.geom <-> b.geom AS metres FROM pg_temp.centre b WHERE b.subject <> a.subject ORDER BY a.geom <-> b.geom LIMIT 1
    ) AS near
), ground AS (
    SELECT sum(ST_Area(s.geom::geography)) AS area_m2 FROM units_street s
    WHERE s.district_id = %(district)s AND s.geom IS NOT NULL AND (%(street)s::text IS NULL OR s.code = %(street)s)
)
SELECT count(*) AS records, avg(n.metres) AS mean_m, 0.5 * sqrt(ground.area_m2 / NULLIF(count(*), 0)) AS expected_m
FROM nearest n
CROSS JOIN ground
GROUP BY ground.area_m2
