-- Which two subjects of a survey lie over the same land, and how many square metres of it?
-- Office buildings lie on the parcel they stand on; parcels overlap only where a delivery is wrong.
WITH judged AS MATERIALIZED (
    SELECT m.building_id AS id FROM units_measured m WHERE m.survey_id = %(survey)s AND m.building_id IS NOT NULL
), office AS (
    SELECT b.id, b.geom FROM units_building b JOIN judged USING (id)
), pair AS (
    SELECT p.id AS one, q.id AS other, p.geom, q.geom AS over
    FROM units_parcel p
    JOIN units_parcel q ON q.survey_id = %(survey)s AND q.geom && p.geom AND q.id > p.id
    WHERE p.survey_id = %(survey)s
    UNION ALL
    SELECT -b.id, p.id, b.geom, p.geom
    FROM office b
    JOIN units_parcel p ON p.survey_id = %(survey)s AND p.geom && b.geom
    UNION ALL
    SELECT -b.id, -c.id, b.geom, c.geom
    FROM office b
    JOIN units_building c ON c.geom && b.geom AND c.id > b.id -- of all buildings: they have an index
    WHERE c.id IN (SELECT id FROM judged)
)
SELECT one, other, ST_Area(ST_Intersection(geom, over)::geography) AS square_metres
FROM pair
WHERE ST_Relate(geom, over, '2********')
ORDER BY one, other
