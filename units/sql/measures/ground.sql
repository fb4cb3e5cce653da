-- How much of each parcel is farmed or unused, how much may be built on, and how much was approved but never supplied?
-- The shares are those of the classes as they are shown, rounded one by one.
WITH mix AS (
    SELECT l.subject,
           COALESCE(sum(m.share::float8) FILTER (WHERE g.name = '农用地'), 0) AS agricultural,
           COALESCE(sum(m.share::float8) FILTER (WHERE g.name = '未利用地'), 0) AS unused
    FROM land l
    LEFT JOIN LATERAL jsonb_each_text(l.class_mix) AS m (dlbm, share) ON TRUE
    LEFT JOIN unnest(%(class_codes)s::text[], %(class_groups)s::text[]) AS g (code, name) ON g.code = m.dlbm
    GROUP BY l.subject
), surveyed AS (
    SELECT i.subject, sum(i.area * i.density) AS area, bool_or(i.density IS NULL) AS missing
    FROM piece i
    GROUP BY i.subject
), held AS (
    SELECT c.subject, bool_or(c.geom IS NULL) AS whole, count(*) AS layers, max(c.area) AS area,
           array_agg(c.geom) AS shapes
    FROM cover c
    WHERE c.kind IN ('reservation', 'heritage')
    GROUP BY c.subject
), taken AS (
    SELECT subject, whole, CASE WHEN whole OR layers = 1 THEN area ELSE ST_Area(ST_Union(shapes)) END AS area FROM held
), known AS (
    SELECT p.subject, p.area_m2, m.agricultural, m.unused, l.gaps ->> 'construction_share' AS class_gap,
           CASE WHEN t.whole THEN 0 ELSE GREATEST(0, 1 - COALESCE(t.area, 0) / p.area) END AS net,
           c.approved_batch_share, s.contracts, u.area / p.area * p.area_m2 AS surveyed,
           COALESCE(NULLIF(l.gaps ->> 'construction_share', 'patches.class'),
                    CASE WHEN u.missing OR COALESCE(u.area, 0) = 0 THEN 'patches.area' END) AS survey_gap,
           CASE WHEN NOT 'reservation' = ANY(%(control_kinds)s::text[]) THEN 'control.reservation'
                WHEN NOT 'heritage' = ANY(%(control_kinds)s::text[]) THEN 'control.heritage' END AS net_gap,
           CASE WHEN NOT 'approved_batch' = ANY(%(control_kinds)s::text[]) THEN 'control.approved_batch'
                WHEN NOT %(contracts_loaded)s THEN 'contracts' END AS supply_gap
    FROM parcel p
    JOIN land l ON l.subject = p.subject
    JOIN control c ON c.subject = p.subject
    JOIN mix m ON m.subject = p.subject
    LEFT JOIN contract s ON s.subject = p.subject
    LEFT JOIN taken t ON t.subject = p.subject
    LEFT JOIN surveyed u ON u.subject = p.subject
)
SELECT subject,
       CASE WHEN class_gap IS NULL THEN LEAST(1, agricultural) END AS agricultural_share,
       CASE WHEN class_gap IS NULL THEN LEAST(1, unused) END AS unused_share,
       CASE WHEN survey_gap IS NULL THEN surveyed END AS surveyed_m2,
       CASE WHEN survey_gap IS NULL THEN (area_m2 - surveyed) / surveyed END AS surveyed_difference,
       CASE WHEN net_gap IS NULL THEN net * area_m2 END AS net_developable_m2,
       CASE WHEN net_gap IS NULL THEN net END AS net_developable_share,
       CASE WHEN supply_gap IS NULL THEN CASE WHEN contracts > 0 THEN 0 ELSE approved_batch_share END END
           AS approved_unsupplied_share,
       jsonb_strip_nulls(jsonb_build_object(
           'agricultural_share', class_gap,
           'unused_share', class_gap,
           'surveyed_m2', survey_gap,
           'surveyed_difference', survey_gap,
           'net_developable_m2', net_gap,
           'net_developable_share', net_gap,
           'approved_unsupplied_share', supply_gap
       )) AS gaps
FROM known
