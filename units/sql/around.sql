-- Which parcels, buildings, patches and control areas have to be looked at to measure these parcels and buildings?
-- A building has what its parcel has, so that the parcels around it are looked at too, and all that lies on those.
WITH ground AS MATERIALIZED (
    SELECT p.id, p.geom FROM units_parcel p WHERE p.survey_id = %(survey)s AND p.id = ANY(%(asked_parcels)s::bigint[])
    UNION
    SELECT p.id, p.geom
    FROM units_building b
    JOIN units_parcel p ON p.geom && b.geom AND p.survey_id = b.survey_id
    WHERE b.survey_id = %(survey)s AND b.id = ANY(%(asked_buildings)s::bigint[])
)
SELECT COALESCE((SELECT array_agg(id ORDER BY id) FROM ground), '{}'),
       COALESCE((SELECT array_agg(id ORDER BY id) FROM (
           SELECT b.id FROM ground g JOIN units_building b ON b.geom && g.geom WHERE b.survey_id = %(survey)s
           UNION
           SELECT unnest(%(asked_buildings)s::bigint[])
       ) AS one), '{}'),
       COALESCE((SELECT array_agg(id ORDER BY id) FROM (
           SELECT DISTINCT d.id FROM ground g JOIN units_landusepatch d ON d.geom && g.geom
           WHERE %(listed)s AND d.survey_id = %(survey)s
       ) AS one), '{}'),
       COALESCE((SELECT array_agg(id ORDER BY id) FROM (
           SELECT DISTINCT c.id FROM ground g JOIN units_controlarea c ON c.geom && g.geom
           WHERE %(listed)s AND c.district_id = %(district)s AND c.in_force
       ) AS one), '{}')
