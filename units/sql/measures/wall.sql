-- Which part of which building's footprint lies on each parcel?
SELECT near.id, near.subject, near.whole, near.area, near.geom
FROM parcel p
CROSS JOIN LATERAL (
    SELECT b.id, p.subject, inside.whole,
           CASE WHEN inside.whole THEN b.area ELSE ST_Area(part.geom) END AS area, part.geom
    FROM footprint b
    CROSS JOIN LATERAL (SELECT ST_Covers(p.geom, b.geom) AS whole OFFSET 0) AS inside
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT inside.whole THEN ST_CollectionExtract(ST_Intersection(b.geom, p.geom), 3) END AS geom
        OFFSET 0
    ) AS part
    WHERE b.geom && p.geom AND (inside.whole OR ST_Intersects(p.geom, b.geom))
    OFFSET 0
) AS near
WHERE near.area > %(nothing)s
