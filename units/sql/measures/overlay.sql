-- Which part of each parcel lies on land classes that its registered use does not allow?
SELECT s.subject,
       ST_AsGeoJSON(ST_Transform(ST_Union(
           CASE WHEN ST_CoveredBy(s.geom, d.geom) THEN s.geom
                ELSE ST_CollectionExtract(ST_Intersection(s.geom, d.geom), 3) END
       ), %(storage_srid)s), 7)::jsonb AS mismatch
FROM land l
JOIN subject s ON s.subject = l.subject
JOIN patch d ON ST_Intersects(s.geom, d.geom) AND d.dlbm = ANY(l.foreign_classes)
WHERE round(l.mismatch::numeric, 4) > 0
GROUP BY s.subject
