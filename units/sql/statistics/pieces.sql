-- Which part of each record lies in which zone, and what of it in none of a kind?
WITH met AS (
    SELECT r.subject, r.bunch, r.street_id, z.kind, z.code,
           CASE WHEN ST_Covers(z.geom, r.geom) THEN r.geom
                ELSE ST_CollectionExtract(ST_Intersection(r.geom, z.geom), 3) END AS geom
    -- zone by zone, so that each outline is prepared once for all the records in it
    FROM pg_temp.zone z
    CROSS JOIN LATERAL (
        SELECT r.subject, r.bunch, r.street_id, r.geom
        FROM pg_temp.record r
        WHERE r.geom && z.geom AND ST_Intersects(z.geom, r.geom)
        OFFSET 0
    ) AS r
), piece AS MATERIALIZED (
    SELECT met.*, ST_Area(met.geom::geography) AS area_m2 FROM met WHERE NOT ST_IsEmpty(met.geom)
), covered AS (
    SELECT subject, kind, sum(area_m2) AS area_m2 FROM piece GROUP BY subject, kind
), rest AS (
    -- looked for only where the pieces do not fill the record
    SELECT r.subject, r.bunch, r.street_id, k.kind, r.geom
    FROM pg_temp.record r
    CROSS JOIN (SELECT unnest(ARRAY['street', 'block', 'unit', 'industrial']) AS kind) AS k
    WHERE NOT EXISTS (SELECT FROM covered c WHERE c.subject = r.subject AND c.kind = k.kind)
    UNION ALL
    SELECT r.subject, r.bunch, r.street_id, c.kind,
           ST_CollectionExtract(ST_Difference(r.geom, ST_Union(p.geom)), 3)
    FROM covered c
    JOIN pg_temp.record r ON r.subject = c.subject
    JOIN piece p ON p.subject = c.subject AND p.kind = c.kind
    WHERE c.kind <> 'hex' AND c.area_m2 < r.area_m2 - %(least_piece)s
    GROUP BY r.subject, r.bunch, r.street_id, c.kind, r.geom
)
SELECT subject, bunch, kind, code, geom, area_m2 FROM piece WHERE area_m2 > 0
UNION ALL
-- land outside all outlines is counted to the street that the record names, where that one has no outline
SELECT r.subject, r.bunch, r.kind,
       CASE WHEN r.kind = 'street' AND NOT EXISTS (SELECT FROM pg_temp.zone z WHERE z.kind = 'street' AND z.code = r.street_id)
            THEN COALESCE(r.street_id, '') ELSE '' END,
       r.geom, size.area_m2
FROM rest r
CROSS JOIN LATERAL (SELECT ST_Area(r.geom::geography) AS area_m2 OFFSET 0) AS size
WHERE NOT ST_IsEmpty(r.geom) AND size.area_m2 > %(least_piece)s
