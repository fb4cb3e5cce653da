-- Which shapes of the file lie on which held shapes, and on how many square metres? Slivers of drawing are left out.
-- Of two rows of one key only what they share with rows that have no partner matters, and with each other.
WITH pairs AS (
    SELECT n.row_number, h.id, n.held IS NOT DISTINCT FROM h.id AS own, n.geom AS one, h.geom AS other,
        n.held IS NULL AS is_new, h.row_number IS NULL AS leaves
    FROM left_new n JOIN left_held h ON n.geom && h.geom
    WHERE n.held IS NULL OR h.row_number IS NULL OR n.held = h.id
), shared AS (
    SELECT p.*, ST_CollectionExtract(ST_Intersection(one, other), 3)::geography AS common
    FROM pairs p WHERE ST_Intersects(one, other)
)
SELECT row_number, id, own, is_new, leaves, ST_Area(common) AS common,
    ST_Area(one::geography) AS area, ST_Area(other::geography) AS held_area
FROM shared
WHERE ST_Area(common) > %(area)s AND 2 * ST_Area(common) > %(width)s * ST_Perimeter(common)
ORDER BY id, row_number
