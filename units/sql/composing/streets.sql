-- What are the boundaries of these streets, where they are known and near a shape?
SELECT ST_AsBinary(s.geom) AS wkb
FROM units_street s
WHERE s.code = ANY (%(streets)s) AND s.geom && ST_SetSRID(ST_GeomFromWKB(%(boxes)s), 4490)
