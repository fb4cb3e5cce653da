-- Which part of each parcel does a control layer cover, areas over each other counted once?
-- What is no larger than the noise of a boundary does not count: at most 1 m², or on average no wider than 5 cm.
WITH joined AS (
    SELECT subject, kind, TRUE AS whole, NULL::geometry AS geom FROM zone WHERE whole GROUP BY subject, kind
    UNION ALL
    SELECT subject, kind, FALSE, CASE WHEN count(*) = 1 THEN (array_agg(geom))[1] ELSE ST_Union(geom) END
    FROM zone z
    WHERE NOT whole AND NOT EXISTS (SELECT FROM zone w WHERE w.whole AND w.subject = z.subject AND w.kind = z.kind)
    GROUP BY subject, kind
), part AS (
    SELECT joined.subject, joined.kind, joined.whole, (ST_Dump(joined.geom)).geom AS geom
    FROM joined
    WHERE NOT whole AND NOT ST_IsEmpty(geom)
), counted AS (
    SELECT subject, kind, sum(ST_Area(geom)) AS area, ST_Collect(geom) AS geom
    FROM part
    WHERE ST_Area(geom) > %(overlap_area)s AND 2 * ST_Area(geom) / NULLIF(ST_Perimeter(geom), 0) > %(overlap_width)s
    GROUP BY subject, kind
)
-- the whole parcel: its shape need not be said again
SELECT j.subject, j.kind, p.area, NULL::geometry AS geom FROM joined j JOIN parcel p USING (subject) WHERE j.whole
UNION ALL
SELECT subject, kind, area, ST_CollectionExtract(geom, 3) FROM counted
