-- Which records lie over one another, in which bunches, and which share of each is not under one before it?
-- Before is the lower code: land that two records have is counted to the first of them.
WITH pair AS MATERIALIZED (
    SELECT a.subject AS first, b.subject AS second
    FROM pg_temp.record a
    JOIN pg_temp.record b ON a.geom && b.geom AND (a.code, a.subject) < (b.code, b.subject)
    WHERE ST_Relate(a.geom, b.geom, '2********')
), tied AS (
    SELECT r.subject, ST_ClusterDBSCAN(r.geom, 0, 1) OVER () AS bunch
    FROM pg_temp.record r
    WHERE r.subject IN (SELECT first FROM pair UNION SELECT second FROM pair)
), before AS (
    SELECT p.second AS subject, ST_Union(r.geom) AS geom
    FROM pair p
    JOIN pg_temp.record r ON r.subject = p.first
    GROUP BY p.second
)
SELECT t.subject, t.bunch,
       CASE WHEN b.geom IS NULL THEN 1
            ELSE COALESCE(ST_Area(ST_CollectionExtract(ST_Difference(r.geom, b.geom), 3)::geography), 0) / r.area_m2
       END AS own
FROM tied t
JOIN pg_temp.record r ON r.subject = t.subject
LEFT JOIN before b ON b.subject = t.subject
