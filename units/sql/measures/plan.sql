-- What does the detailed plan of plots want of each parcel, and is it that what is there now?
WITH plan_use AS (
    SELECT u.scheme, u.use, string_to_array(NULLIF(u.classes, ''), ',') AS classes, NULLIF(u.category, '') AS category
    FROM unnest(%(plan_schemes)s::text[], %(plan_uses)s::text[], %(plan_classes)s::text[], %(plan_categories)s::text[])
        AS u (scheme, use, classes, category)
), planned AS (
    SELECT z.subject, z.use, z.use_scheme, sum(z.area) / p.area AS share,
           row_number() OVER (PARTITION BY z.subject
                              ORDER BY round(sum(z.area)::numeric, 4) DESC, z.use) AS place
    FROM zone z
    JOIN parcel p ON p.subject = z.subject
    WHERE z.kind = 'plot_plan'
    GROUP BY z.subject, z.use, z.use_scheme, p.area
), whole AS (
    SELECT p.subject, l.main_class, l.gaps ->> 'main_class' AS class_gap,
           COALESCE(sum(f.share), 0) AS covered,
           max(f.use) FILTER (WHERE f.place = 1) AS use,
           max(u.category) FILTER (WHERE f.place = 1) AS category,
           COALESCE(sum(f.share) FILTER (WHERE u.classes IS NULL), 0) AS strange,
           COALESCE(sum(f.share) FILTER (WHERE NOT EXISTS (
               SELECT FROM unnest(u.classes) AS allowed WHERE starts_with(l.main_class, allowed)
           )), 0) AS conflict
    FROM parcel p
    JOIN land l ON l.subject = p.subject
    LEFT JOIN planned f ON f.subject = p.subject
    LEFT JOIN plan_use u ON u.scheme = f.use_scheme AND u.use = f.use
    -- where no rule reads the plan it was not overlaid
    WHERE 'plot_plan' = ANY(%(measured_kinds)s::text[]) OR NOT 'plot_plan' = ANY(%(control_kinds)s::text[])
    GROUP BY p.subject, l.main_class, l.gaps
), known AS (
    SELECT whole.*,
           CASE WHEN NOT 'plot_plan' = ANY(%(control_kinds)s::text[]) THEN 'control.plot_plan'
                WHEN covered < 0.5 THEN 'control.plot_plan.cover' END AS plan_gap,
           CASE WHEN strange > %(uncovered)s THEN 'plan.use_mapping' END AS mapping_gap
    FROM whole
)
SELECT subject,
       CASE WHEN plan_gap IS NULL THEN NULLIF(use, '') END AS planned_use,
       CASE WHEN plan_gap IS NULL THEN category END AS planned_use_category,
       CASE WHEN plan_gap IS NULL AND mapping_gap IS NULL AND class_gap IS NULL THEN LEAST(1, conflict) END
           AS plan_conflict,
       jsonb_strip_nulls(jsonb_build_object(
           'planned_use', COALESCE(plan_gap, CASE WHEN COALESCE(use, '') = '' THEN 'plan.use_mapping' END),
           'planned_use_category', COALESCE(plan_gap, CASE WHEN category IS NULL THEN 'plan.use_mapping' END),
           'plan_conflict', COALESCE(plan_gap, class_gap, mapping_gap)
       )) AS gaps
FROM known
