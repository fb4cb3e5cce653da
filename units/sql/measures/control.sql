-- Which share of each parcel lies in each control layer?
-- It is nought only where a delivery of the layer is in force for the district; elsewhere nothing is known.
WITH share AS (
    SELECT p.subject, p.area_m2,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'ecological_red_line'), 0) / p.area AS ecological_red_line,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'basic_farmland'), 0) / p.area AS basic_farmland,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'development_boundary'), 0) / p.area AS development_boundary,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'master_plan'), 0) / p.area AS master_plan,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'special_plan'), 0) / p.area AS special_plan,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'block_plan'), 0) / p.area AS block_plan,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'plot_plan'), 0) / p.area AS plot_plan,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'second_survey_construction'), 0) / p.area AS second_survey_construction,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'industrial_line'), 0) / p.area AS industrial_line,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'park'), 0) / p.area AS park,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'heritage'), 0) / p.area AS heritage,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'buried_relics'), 0) / p.area AS buried_relics,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'hazard'), 0) / p.area AS hazard,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'reservation'), 0) / p.area AS reservation,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'key_area'), 0) / p.area AS key_area,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'renewal_plan'), 0) / p.area AS renewal_plan,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'approved_batch'), 0) / p.area AS approved_batch,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'urban_village'), 0) / p.area AS urban_village,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'industry_exit'), 0) / p.area AS industry_exit,
           COALESCE(max(c.area) FILTER (WHERE c.kind = 'industry_plan'), 0) / p.area AS industry_plan
    FROM parcel p
    LEFT JOIN cover c ON c.subject = p.subject
    GROUP BY p.subject, p.area, p.area_m2
)
SELECT subject,
       CASE WHEN 'ecological_red_line' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, ecological_red_line) END AS ecological_red_line_share,
       CASE WHEN 'basic_farmland' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, basic_farmland) END AS basic_farmland_share,
       CASE WHEN 'development_boundary' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, development_boundary) END AS development_boundary_share,
       CASE WHEN 'master_plan' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, master_plan) END AS master_plan_share,
       CASE WHEN 'special_plan' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, special_plan) END AS special_plan_share,
       CASE WHEN 'block_plan' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, block_plan) END AS block_plan_share,
       CASE WHEN 'plot_plan' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, plot_plan) END AS plot_plan_share,
       CASE WHEN 'second_survey_construction' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, second_survey_construction) END AS second_survey_construction_share,
       CASE WHEN 'industrial_line' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, industrial_line) END AS industrial_line_share,
       CASE WHEN 'park' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, park) END AS park_share,
       CASE WHEN 'heritage' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, heritage) END AS heritage_share,
       CASE WHEN 'buried_relics' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, buried_relics) END AS buried_relics_share,
       CASE WHEN 'hazard' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, hazard) END AS hazard_share,
       CASE WHEN 'reservation' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, reservation) END AS reservation_share,
       CASE WHEN 'key_area' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, key_area) END AS key_area_share,
       CASE WHEN 'renewal_plan' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, renewal_plan) END AS renewal_plan_share,
       CASE WHEN 'approved_batch' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, approved_batch) END AS approved_batch_share,
       CASE WHEN 'urban_village' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, urban_village) END AS urban_village_share,
       CASE WHEN 'industry_exit' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, industry_exit) END AS industry_exit_share,
       CASE WHEN 'industry_plan' = ANY(%(measured_kinds)s::text[]) THEN LEAST(1, industry_plan) END AS industry_plan_share,
       CASE WHEN 'ecological_red_line' = ANY(%(measured_kinds)s::text[]) THEN ecological_red_line * area_m2 END AS ecological_red_line_m2,
       CASE WHEN 'basic_farmland' = ANY(%(measured_kinds)s::text[]) THEN basic_farmland * area_m2 END AS basic_farmland_m2,
       %(control_gaps)s::jsonb AS gaps
FROM share
