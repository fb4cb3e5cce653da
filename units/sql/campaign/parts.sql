-- Which buildings and which firms is a form about: those on each parcel, or in each building, as the survey has them?
-- A building is on the parcel that holds its inner point; a firm counts that had not left before the survey's year.
WITH parcel AS (
    SELECT p.id, p.survey_id, p.geom, s.year
    FROM units_parcel p JOIN units_survey s ON s.id = p.survey_id WHERE p.id = ANY (%(parcels)s::bigint[])
), listed AS (
    SELECT 'parcel' AS kind, parcel.id AS subject, 'building' AS part, b.id, b.code, b.name, -b.area_m2 AS rank
    FROM parcel JOIN units_building b ON b.survey_id = parcel.survey_id AND b.geom && parcel.geom
        AND NOT b.temporary AND ST_Contains(parcel.geom, ST_PointOnSurface(b.geom))
    UNION ALL
    SELECT 'building', b.id, 'building', b.id, b.code, b.name, 0
    FROM units_building b WHERE b.id = ANY (%(buildings)s::bigint[])
    UNION ALL
    SELECT DISTINCT 'parcel', parcel.id, 'firm', e.id, e.credit_code, e.name, 0
    FROM parcel JOIN units_occupancy o ON o.parcel_id = parcel.id JOIN units_enterprise e ON e.id = o.enterprise_id
    WHERE o.until IS NULL OR extract(year FROM o.until) >= parcel.year
    UNION ALL
    SELECT DISTINCT 'building', b.id, 'firm', e.id, e.credit_code, e.name, 0
    FROM units_building b JOIN units_survey s ON s.id = b.survey_id JOIN units_occupancy o ON o.building_id = b.id
        JOIN units_enterprise e ON e.id = o.enterprise_id
    WHERE b.id = ANY (%(buildings)s::bigint[]) AND (o.until IS NULL OR extract(year FROM o.until) >= s.year)
)
SELECT kind, subject, part,
       json_agg(json_build_object('id', id, 'code', code, 'name', name) ORDER BY rank, code, id) AS parts
FROM listed GROUP BY kind, subject, part
