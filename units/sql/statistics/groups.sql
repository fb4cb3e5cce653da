-- How many records has each group, how much land, counted once where they lie over one another, and how much floor area?
-- Each group is told for all categories (category '') and for each. Shapes that lie over others are united, each
-- distinct bunch of them once; all others are added.
WITH member AS (
    SELECT 'all' AS dimension, '' AS name, subject FROM pg_temp.record
    UNION ALL SELECT 'category', category, subject FROM pg_temp.record
    UNION ALL SELECT 'subtype', subtype, subject FROM pg_temp.record
    UNION ALL SELECT 'reason', reason, subject FROM pg_temp.record, unnest(reasons) AS reason
    UNION ALL SELECT 'land_class', main_class, subject FROM pg_temp.record
    UNION ALL SELECT 'owner', land_owner, subject FROM pg_temp.record
    UNION ALL SELECT 'right', right_nature, subject FROM pg_temp.record
    UNION ALL SELECT 'size', size, subject FROM pg_temp.record
    UNION ALL SELECT 'decade', decade, subject FROM pg_temp.record
    UNION ALL SELECT 'listed', COALESCE(extract(year FROM listed_since)::integer::text, ''), subject FROM pg_temp.record
    UNION ALL SELECT 'grade', grade, subject FROM pg_temp.record WHERE %(figures)s
    UNION ALL SELECT 'metro', metro, subject FROM pg_temp.record
), wide AS (
    SELECT dimension, name, '' AS category, subject FROM member
    UNION ALL
    SELECT m.dimension, m.name, r.category, m.subject
    FROM member m
    JOIN pg_temp.record r ON r.subject = m.subject
    WHERE m.dimension <> 'category' AND r.category <> ''
), counted AS (
    SELECT w.dimension, w.name, w.category, count(r.parcel_id) AS parcels, count(r.building_id) AS buildings,
           sum(r.area_m2) AS summed, sum(r.area_m2) FILTER (WHERE r.bunch IS NULL) AS alone
    FROM wide w
    JOIN pg_temp.record r ON r.subject = w.subject
    GROUP BY w.dimension, w.name, w.category
), bunch AS (
    SELECT w.dimension, w.name, w.category, array_agg(r.subject ORDER BY r.subject) AS members
    FROM wide w
    JOIN pg_temp.record r ON r.subject = w.subject
    WHERE r.bunch IS NOT NULL
    GROUP BY w.dimension, w.name, w.category, r.bunch
), united AS MATERIALIZED (
    SELECT one.members,
           (SELECT ST_Area(ST_Union(r.geom)::geography) FROM pg_temp.record r WHERE r.subject = ANY(one.members)) AS area
    FROM (SELECT DISTINCT members FROM bunch) AS one
), tied AS (
    SELECT b.dimension, b.name, b.category, sum(u.area) AS area
    FROM bunch b
    JOIN united u ON u.members = b.members
    GROUP BY b.dimension, b.name, b.category
), stood AS (
    -- a footprint that several records share, which are few
    SELECT w.dimension, w.name, w.category, s.building, max(s.floor_area) AS floor_area, max(s.share) AS share,
           array_agg(s.subject ORDER BY s.subject) AS members
    FROM wide w
    JOIN pg_temp.standing s ON s.subject = w.subject
    WHERE s.times > 1
    GROUP BY w.dimension, w.name, w.category, s.building
), cut AS MATERIALIZED (
    -- which part of it lies in any of them
    SELECT one.building, one.members,
           (SELECT ST_Area(ST_CollectionExtract(ST_Intersection(b.geom, ST_Union(r.geom)), 3)::geography) / b.area_m2
            FROM pg_temp.record r WHERE r.subject = ANY(one.members)) AS share
    FROM (SELECT DISTINCT building, members FROM stood WHERE cardinality(members) > 1 AND share < 1) AS one
    JOIN units_building b ON b.id = one.building
), floor AS (
    SELECT w.dimension, w.name, w.category, s.floor_area, s.share
    FROM wide w
    JOIN pg_temp.standing s ON s.subject = w.subject
    WHERE s.times = 1
    UNION ALL
    SELECT s.dimension, s.name, s.category, s.floor_area, COALESCE(c.share, s.share)
    FROM stood s
    LEFT JOIN cut c ON c.building = s.building AND c.members = s.members
), floors AS (
    SELECT dimension, name, category, sum(floor_area * LEAST(1, share)) AS floor_area,
           count(*) FILTER (WHERE floor_area IS NULL) AS unknown
    FROM floor
    GROUP BY dimension, name, category
)
SELECT c.dimension, c.name, c.category, c.parcels, c.buildings, c.summed,
       COALESCE(c.alone, 0) + COALESCE(t.area, 0) AS area_m2,
       COALESCE(f.floor_area, 0) AS floor_m2, COALESCE(f.unknown, 0) AS floor_unknown
FROM counted c
LEFT JOIN tied t ON t.dimension = c.dimension AND t.name = c.name AND t.category = c.category
LEFT JOIN floors f ON f.dimension = c.dimension AND f.name = c.name AND f.category = c.category
ORDER BY c.dimension, c.name, c.category
