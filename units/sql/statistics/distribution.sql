-- How much land of the records lies in each zone, counted once, how many records mostly, and how many are cut?
WITH placed AS (
    SELECT p.*, row_number() OVER (PARTITION BY p.subject, p.kind ORDER BY round(p.area_m2::numeric, 2) DESC, p.code) AS place,
           count(*) FILTER (WHERE p.area_m2 > %(least_piece)s) OVER (PARTITION BY p.subject, p.kind) AS parts
    FROM pg_temp.piece p
), counted AS (
    SELECT p.kind, p.code, count(*) FILTER (WHERE p.place = 1 AND r.parcel_id IS NOT NULL) AS parcels,
           count(*) FILTER (WHERE p.place = 1 AND r.building_id IS NOT NULL) AS buildings,
           count(*) FILTER (WHERE p.parts > 1 AND p.area_m2 > %(least_piece)s) AS cut,
           sum(p.area_m2) FILTER (WHERE p.bunch IS NULL) AS alone
    FROM placed p
    JOIN pg_temp.record r ON r.subject = p.subject
    GROUP BY p.kind, p.code
), tied AS (
    SELECT one.kind, one.code, sum(one.area_m2) AS area_m2
    FROM (
        SELECT p.kind, p.code, ST_Area(ST_Union(p.geom)::geography) AS area_m2
        FROM placed p
        WHERE p.bunch IS NOT NULL
        GROUP BY p.kind, p.code, p.bunch
    ) AS one
    GROUP BY one.kind, one.code
)
SELECT COALESCE(c.kind, z.kind) AS kind, COALESCE(c.code, z.code) AS code, z.name,
       COALESCE(c.parcels, 0) AS parcels, COALESCE(c.buildings, 0) AS buildings, COALESCE(c.cut, 0) AS cut,
       COALESCE(c.alone, 0) + COALESCE(t.area_m2, 0) AS area_m2, ST_Area(z.geom::geography) AS zone_m2
FROM counted c
LEFT JOIN tied t ON t.kind = c.kind AND t.code = c.code
FULL JOIN pg_temp.zone z ON z.kind = c.kind AND z.code = c.code
WHERE c.code IS NOT NULL OR z.kind = 'street'
ORDER BY 1, 2
