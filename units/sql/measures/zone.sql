-- Which part of each parcel lies in which control area in force?
-- Slivers are left to the measures.
SELECT near.kind, near.use, near.use_scheme, near.subject, near.whole, near.area, near.geom
FROM area
CROSS JOIN LATERAL (
    SELECT area.kind, area.use, area.use_scheme, p.subject, inside.whole,
           CASE WHEN inside.whole THEN p.area ELSE ST_Area(part.geom) END AS area, part.geom
    FROM parcel p
    CROSS JOIN LATERAL (SELECT ST_Covers(area.geom, p.geom) AS whole OFFSET 0) AS inside
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT inside.whole THEN ST_CollectionExtract(ST_Intersection(p.geom, area.geom), 3) END AS geom
        OFFSET 0
    ) AS part
    WHERE p.geom && area.geom AND (inside.whole OR ST_Intersects(area.geom, p.geom))
    OFFSET 0
) AS near
WHERE near.area > %(nothing)s
