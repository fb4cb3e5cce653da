-- Where on each parcel do patches disagree with its registered use, and control layers exclude it?
WITH foreign_ground AS (
    SELECT p.subject, 'mismatch' AS name, ST_Union(COALESCE(p.geom, s.geom)) AS geom
    FROM land l
    JOIN parcel s ON s.subject = l.subject
    JOIN piece p ON p.subject = l.subject AND p.dlbm = ANY(l.foreign_classes)
    WHERE l.mismatch > %(uncovered)s  -- less is the noise of boundaries
    GROUP BY p.subject
), shown AS (
    SELECT subject, name, geom FROM foreign_ground
    UNION ALL
    SELECT c.subject, c.kind, COALESCE(c.geom, p.geom)
    FROM cover c
    JOIN parcel p ON p.subject = c.subject
    WHERE c.kind IN ('ecological_red_line', 'basic_farmland')
    UNION ALL
    -- of the development boundary, what lies outside
    SELECT p.subject, 'development_boundary',
           ST_CollectionExtract(COALESCE(ST_Difference(p.geom, c.geom), p.geom), 3)
    FROM control l
    JOIN parcel p ON p.subject = l.subject
    LEFT JOIN cover c ON c.subject = p.subject AND c.kind = 'development_boundary'
    WHERE round(l.development_boundary_share::numeric, 4) < 1
)
SELECT subject, jsonb_object_agg(name, ST_AsGeoJSON(ST_Transform(geom, %(storage_srid)s), 7)::jsonb) AS overlay
FROM shown
WHERE NOT ST_IsEmpty(geom)
GROUP BY subject
