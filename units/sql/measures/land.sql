-- How is each parcel divided over the land classes of the survey, and does that agree with its registered use?
-- A parcel that is not covered to 99 per cent has no known shares, nor has one of which more than a hundredth lies under
-- two patches at once; where no patches were delivered nothing is known.
WITH land_class AS (
    SELECT * FROM unnest(%(class_codes)s::text[], %(class_construction)s::boolean[], %(class_categories)s::text[])
        AS c (dlbm, construction, category)
), use_class AS (
    SELECT u.scheme, u.use, string_to_array(u.classes, ',') AS classes, NULLIF(u.category, '') AS category
    FROM unnest(%(use_schemes)s::text[], %(use_codes)s::text[], %(use_classes)s::text[], %(use_categories)s::text[])
        AS u (scheme, use, classes, category)
), ground AS (
    SELECT s.subject, max(p.area) / s.area AS covered, max(p.area) / s.area AS counted
    FROM parcel s
    JOIN piece p ON p.subject = s.subject
    GROUP BY s.subject, s.area
    HAVING count(*) = 1
    UNION ALL
    -- what several patches cover is counted once: their sum may be the whole parcel and yet leave a hole
    SELECT s.subject, ST_Area(ST_Union(COALESCE(p.geom, s.geom))) / s.area, sum(p.area) / s.area
    FROM parcel s
    JOIN piece p ON p.subject = s.subject
    WHERE s.subject IN (SELECT subject FROM piece GROUP BY subject HAVING count(*) > 1)
    GROUP BY s.subject, s.area
), mix AS (
    SELECT p.subject, p.dlbm, sum(p.area) / s.area AS share,
           row_number() OVER (PARTITION BY p.subject ORDER BY round(sum(p.area)::numeric, 4) DESC, p.dlbm) AS place
    FROM piece p
    JOIN parcel s ON s.subject = p.subject
    GROUP BY p.subject, p.dlbm, s.area
), whole AS (
    SELECT s.subject,
           LEAST(1, COALESCE(max(g.covered), 0)) AS covered,
           GREATEST(0, COALESCE(max(g.counted - g.covered), 0)) AS overlapped,
           max(m.dlbm) FILTER (WHERE m.place = 1) AS first_class,
           max(m.share) FILTER (WHERE m.place = 1) AS first_share,
           COALESCE(max(m.share) FILTER (WHERE m.place = 2), 0) AS second_share,
           COALESCE(sum(m.share) FILTER (WHERE c.construction), 0) AS construction,
           COALESCE(sum(m.share) FILTER (WHERE c.dlbm IS NULL), 0) AS strange,
           COALESCE(sum(m.share) FILTER (WHERE EXISTS (
               SELECT FROM unnest(u.classes) AS allowed WHERE starts_with(m.dlbm, allowed)
           )), 0) AS agreeing,
           array_agg(m.dlbm) FILTER (WHERE NOT EXISTS (
               SELECT FROM unnest(u.classes) AS allowed WHERE starts_with(m.dlbm, allowed)
           )) AS foreign_classes,
           bool_and(u.classes IS NOT NULL) AS use_mapped,
           max(u.category) AS use_category,
           COALESCE(s.registered_use, '') <> '' AS use_registered,
           COALESCE(jsonb_object_agg(m.dlbm, round(m.share::numeric, 4)) FILTER (WHERE m.dlbm IS NOT NULL), '{}')
               AS class_mix
    FROM parcel s
    LEFT JOIN ground g ON g.subject = s.subject
    LEFT JOIN mix m ON m.subject = s.subject
    LEFT JOIN land_class c ON c.dlbm = m.dlbm
    LEFT JOIN use_class u ON u.scheme = s.use_scheme AND u.use = s.registered_use AND s.registered_use <> ''
    GROUP BY s.subject, s.registered_use
), known AS (
    SELECT whole.*,
           CASE WHEN NOT %(patches_loaded)s THEN 'patches'
                WHEN overlapped > %(overlapped)s THEN 'patches.overlap'
                WHEN 1 - covered > %(uncovered)s THEN 'patches.cover' END AS cover_gap,
           -- the class that covers most is known as soon as what is not covered, or counted twice, could not change it
           CASE WHEN NOT %(patches_loaded)s THEN 'patches'
                WHEN first_class IS NULL OR first_share - second_share < 1 - covered - 1e-6 THEN 'patches.cover'
                WHEN first_share - second_share < 1 - covered + overlapped - 1e-6 THEN 'patches.overlap' END
               AS main_gap,
           CASE WHEN NOT use_registered THEN 'parcel.registered_use'
                WHEN NOT use_mapped THEN 'parcel.use_mapping' END AS use_gap
    FROM whole
), judged AS (
    SELECT known.*,
           COALESCE(cover_gap, CASE WHEN strange > %(uncovered)s THEN 'patches.class' END) AS construction_gap,
           COALESCE(main_gap, CASE WHEN overlapped > %(overlapped)s THEN 'patches.overlap' END) AS share_gap,
           COALESCE(use_gap, cover_gap) AS mismatch_gap,
           COALESCE(use_gap, CASE WHEN use_category IS NULL THEN 'parcel.use_mapping' END) AS use_category_gap,
           NULLIF(c.category, '') AS main_category
    FROM known
    LEFT JOIN land_class c ON c.dlbm = known.first_class
)
SELECT subject, class_mix, foreign_classes,
       CASE WHEN main_gap IS NULL THEN first_class END AS main_class,
       CASE WHEN share_gap IS NULL THEN LEAST(1, first_share) END AS main_class_share,
       CASE WHEN construction_gap IS NULL THEN LEAST(1, construction) END AS construction_share,
       CASE WHEN %(patches_loaded)s THEN covered END AS covered_share,
       CASE WHEN mismatch_gap IS NULL THEN GREATEST(0, 1 - agreeing) END AS mismatch,
       CASE WHEN use_category_gap IS NULL THEN use_category END AS use_category,
       CASE WHEN main_gap IS NULL THEN main_category END AS class_category,
       jsonb_strip_nulls(jsonb_build_object(
           'main_class', main_gap,
           'main_class_share', share_gap,
           'construction_share', construction_gap,
           'covered_share', CASE WHEN NOT %(patches_loaded)s THEN 'patches' END,
           'mismatch', mismatch_gap,
           'use_category', use_category_gap,
           'class_category', COALESCE(main_gap, CASE WHEN main_category IS NULL THEN 'patches.class' END)
       )) AS gaps
FROM judged
