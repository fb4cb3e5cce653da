-- Which part of each parcel does each patch of the survey cover?
-- A parcel that lies wholly in a patch needs no cutting; shapes that share an edge have nothing else in common.
SELECT near.dlbm, near.density, near.subject, near.whole, near.area, near.geom
FROM parcel s
CROSS JOIN LATERAL (
    SELECT s.subject, d.dlbm, d.density, inside.whole,
           CASE WHEN inside.whole THEN s.area ELSE ST_Area(part.geom) END AS area, part.geom
    FROM patch d
    CROSS JOIN LATERAL (SELECT ST_CoveredBy(s.geom, d.geom) AS whole OFFSET 0) AS inside
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT inside.whole THEN ST_CollectionExtract(ST_Intersection(s.geom, d.geom), 3) END AS geom
        OFFSET 0
    ) AS part
    WHERE d.geom && s.geom AND (inside.whole OR ST_Intersects(s.geom, d.geom))
    OFFSET 0
) AS near
WHERE near.area > %(nothing)s
