-- How large is each shape on the ellipsoid, in m²?
SELECT ST_Area(ST_SetSRID(ST_GeomFromWKB(shape.wkb), 4490)::geography) AS area_m2
FROM unnest(%(shapes)s::bytea[]) WITH ORDINALITY AS shape (wkb, number)
ORDER BY shape.number
