-- How large is a shape, what of it lies outside its district, and in which street does it lie?
WITH shape AS MATERIALIZED (
    SELECT ST_SetSRID(ST_GeomFromWKB(%(shape)s), 4490) AS geom
),
outside AS MATERIALIZED (
    SELECT ST_Transform(ST_CollectionExtract(ST_Difference(shape.geom, d.geom), 3), %(srid)s) AS plane
    FROM shape JOIN units_district d ON d.code = %(district)s
    WHERE d.geom IS NOT NULL AND NOT ST_Covers(d.geom, shape.geom)
)
SELECT ST_Area(shape.geom::geography) AS area_m2, ST_Perimeter(shape.geom::geography) AS perimeter_m,
       (SELECT ST_Area(plane) FROM outside
        WHERE ST_Area(plane) > %(overlap_area)s AND 2 * ST_Area(plane) / ST_Perimeter(plane) > %(overlap_width)s)
           AS outside_m2,
       (SELECT s.code FROM units_street s
        WHERE s.district_id = %(district)s AND s.geom IS NOT NULL AND ST_Covers(s.geom, shape.geom)
        ORDER BY s.code LIMIT 1) AS street,
       ARRAY(SELECT DISTINCT c.kind FROM units_controlarea c WHERE c.district_id = %(district)s AND c.in_force)
           AS delivered
FROM shape
