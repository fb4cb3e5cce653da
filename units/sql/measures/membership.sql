-- Does each parcel lie in a redevelopment unit that is in hand, wholly enough to be of it, or does its edge split it?
-- In: its centre is inside and at least half of it. A neighbour's mis-drawn edge that crosses its border is nothing.
WITH unit AS MATERIALIZED (
    SELECT ST_Transform(u.geom, %(srid)s) AS geom
    FROM units_redevelopmentunit u
    WHERE u.district_id = %(district)s AND u.state NOT IN ('amended', 'deleted')
      AND u.geom && (SELECT ST_SetSRID(ST_Extent(p.stored)::geometry, %(storage_srid)s) FROM parcel p)
), inside AS (
    SELECT DISTINCT ON (near.subject) near.subject, near.share, near.holds
    FROM unit u
    CROSS JOIN LATERAL (
        SELECT p.subject, CASE WHEN whole.whole THEN 1 ELSE ST_Area(part.geom) / p.area END AS share,
               whole.whole OR ST_Contains(u.geom, ST_Centroid(p.geom)) AS holds,
               whole.whole OR ST_Area(part.geom) > %(overlap_area)s
                   AND 2 * ST_Area(part.geom) / NULLIF(ST_Perimeter(part.geom), 0) > %(overlap_width)s AS counts
        FROM parcel p
        CROSS JOIN LATERAL (SELECT ST_Covers(u.geom, p.geom) AS whole OFFSET 0) AS whole
        CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT whole.whole THEN ST_CollectionExtract(ST_Intersection(p.geom, u.geom), 3) END AS geom
            OFFSET 0
        ) AS part
        WHERE p.geom && u.geom AND (whole.whole OR ST_Intersects(p.geom, u.geom))
        OFFSET 0
    ) AS near
    WHERE near.counts
    ORDER BY near.subject, near.share DESC, near.holds DESC
)
SELECT p.subject, LEAST(1, COALESCE(i.share, 0)) AS unit_share,
       CASE WHEN i.subject IS NULL THEN 'none' WHEN i.holds AND round(i.share::numeric, 4) >= 0.5 THEN 'in'
            ELSE 'split' END AS unit_place,
       '{}'::jsonb AS gaps
FROM parcel p
LEFT JOIN inside i ON i.subject = p.subject
