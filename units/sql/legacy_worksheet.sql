-- How much of a legacy polygon lies in each layer that G-20 asks about, and what of it passes them all? In m².
-- Null stands for a layer that nobody has delivered: unknown, not nothing. Papers are the registered parcels of the
-- survey in force and the approved batches; of the master plan the zone where building is permitted counts.
WITH land AS MATERIALIZED (
    SELECT l.district_id, l.geom FROM units_legacyland l WHERE l.id = %(land)s
),
papers AS (
    SELECT p.geom FROM land JOIN units_survey s ON s.district_id = land.district_id AND s.state = 'in_force'
    JOIN units_parcel p ON p.survey_id = s.id AND p.geom && land.geom
    UNION ALL
    SELECT ST_MakeValid(c.geom) FROM land JOIN units_controlarea c ON c.district_id = land.district_id AND c.in_force
    WHERE c.kind = 'approved_batch' AND c.geom && land.geom
),
layers AS MATERIALIZED (
    SELECT kinds.kind,
           EXISTS (SELECT FROM units_controlarea c JOIN land USING (district_id)
                   WHERE c.kind = kinds.kind AND c.in_force) AS delivered,
           coalesce((SELECT ST_Union(ST_MakeValid(c.geom)) FROM units_controlarea c JOIN land USING (district_id)
                     WHERE c.kind = kinds.kind AND c.in_force AND c.geom && land.geom
                     AND (c.kind <> 'master_plan' OR c.use = '')),
                    ST_GeomFromText('POLYGON EMPTY', 4490)) AS geom
    FROM unnest(ARRAY['special_plan', 'master_plan', 'second_survey_construction']) AS kinds (kind)
    UNION ALL
    SELECT 'papers', EXISTS (SELECT FROM units_survey s JOIN land USING (district_id) WHERE s.state = 'in_force'),
           coalesce((SELECT ST_Union(geom) FROM papers), ST_GeomFromText('POLYGON EMPTY', 4490))
),
shares AS (
    SELECT layers.kind, CASE WHEN layers.delivered THEN
               ST_Area(ST_CollectionExtract(ST_Intersection(layers.geom, land.geom), 3)::geography) END AS area_m2
    FROM layers CROSS JOIN land
),
eligible AS (
    SELECT ST_CollectionExtract(ST_Difference(ST_Intersection(ST_Intersection(ST_Intersection(land.geom,
               (SELECT geom FROM layers WHERE kind = 'special_plan')),
               (SELECT geom FROM layers WHERE kind = 'master_plan')),
               (SELECT geom FROM layers WHERE kind = 'second_survey_construction')),
               (SELECT geom FROM layers WHERE kind = 'papers')), 3) AS geom
    FROM land
)
SELECT ST_Area(land.geom::geography) AS area_m2,
       (SELECT area_m2 FROM shares WHERE kind = 'special_plan') AS special_plan,
       (SELECT area_m2 FROM shares WHERE kind = 'master_plan') AS master_plan,
       (SELECT area_m2 FROM shares WHERE kind = 'second_survey_construction') AS second_survey,
       (SELECT area_m2 FROM shares WHERE kind = 'papers') AS papers,
       ST_Area(eligible.geom::geography) AS eligible_m2,
       ST_AsGeoJSON(eligible.geom, 9) AS eligible
FROM land CROSS JOIN eligible
