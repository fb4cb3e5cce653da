-- Which records of the low-efficiency set overlap the land of this one, and by how much, in m²?
WITH land AS MATERIALIZED (
    SELECT d.id, d.district_id, district.srid, coalesce(p.geom, b.geom) AS geom
    FROM units_determination d
    JOIN units_district district ON district.code = d.district_id
    LEFT JOIN units_parcel p ON p.id = d.parcel_id
    LEFT JOIN units_building b ON b.id = d.building_id
    WHERE d.id = %(record)s
),
others AS (
    SELECT d.id, d.code, p.geom, d.district_id, d.state, d.listed_since, d.listed_until
    FROM land JOIN units_parcel p ON p.geom && land.geom JOIN units_determination d ON d.parcel_id = p.id
    UNION ALL
    SELECT d.id, d.code, b.geom, d.district_id, d.state, d.listed_since, d.listed_until
    FROM land JOIN units_building b ON b.geom && land.geom JOIN units_determination d ON d.building_id = b.id
),
pieces AS (
    SELECT others.code, ST_CollectionExtract(ST_Intersection(
               ST_Transform(others.geom, land.srid), ST_Transform(land.geom, land.srid)), 3) AS piece
    FROM land JOIN others ON others.district_id = land.district_id AND others.id <> land.id
    WHERE others.state = ANY (%(states)s) OR (others.listed_since IS NOT NULL AND others.listed_until IS NULL)
)
SELECT code, ST_Area(piece) AS area_m2
FROM pieces
WHERE ST_Area(piece) > %(area)s AND 2 * ST_Area(piece) / ST_Perimeter(piece) > %(width)s
ORDER BY code
