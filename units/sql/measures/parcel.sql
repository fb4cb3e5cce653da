-- Which parcels are measured, in the district's Gauss–Krüger zone?
-- Of all, or of those that are named. A shape that is not valid can only come past the constraints of the
-- database and is told by a check: it is measured as it can be made valid, so that it does not end the whole run.
WITH use_class AS (
    SELECT u.scheme, u.use, NULLIF(u.category, '') AS category
    FROM unnest(%(use_schemes)s::text[], %(use_codes)s::text[], %(use_categories)s::text[]) AS u (scheme, use, category)
), moved AS MATERIALIZED (
    SELECT p.id AS subject, p.district_id, p.street_id, p.registered_use, p.use_scheme, p.documented_m2,
           p.registered_far, p.registered_coverage, p.owner_wish ->> 'willing' AS owner_wish, p.area_m2,
           p.geom AS stored, ST_Transform(p.geom, %(srid)s) AS geom
    FROM units_parcel p
    WHERE p.survey_id = %(survey)s
      AND (%(parcels)s::bigint[] IS NULL OR p.id = ANY(%(parcels)s::bigint[]))
)
SELECT moved.subject, moved.district_id, moved.street_id, moved.registered_use, moved.use_scheme, moved.documented_m2,
       moved.registered_far, moved.registered_coverage, moved.owner_wish, moved.area_m2, moved.stored, sound.geom,
       ST_Area(sound.geom) AS area, u.category AS use_category
FROM moved
CROSS JOIN LATERAL (
    SELECT CASE WHEN ST_IsValid(moved.geom) THEN moved.geom
                ELSE ST_CollectionExtract(ST_MakeValid(moved.geom), 3) END AS geom
    OFFSET 0
) AS sound
LEFT JOIN use_class u ON u.scheme = moved.use_scheme AND u.use = moved.registered_use AND moved.registered_use <> ''
