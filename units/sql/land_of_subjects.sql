-- How many square metres do these subjects measure one by one, and how many are under any of them?
-- The ids of buildings are below nought.
SELECT COALESCE(sum(area_m2), 0) AS each, COALESCE(ST_Area(ST_Union(geom)::geography), 0) AS together
FROM (
    SELECT p.area_m2, p.geom FROM units_parcel p WHERE p.id = ANY(%(subjects)s)
    UNION ALL
    SELECT b.area_m2, b.geom FROM units_building b WHERE -b.id = ANY(%(subjects)s)
) AS subject
