-- How much might be gained on the parcels counted: more floor area, another use, idle land, overdue contracts, more tax?
-- Land that two records have counts to the first of them (`own`). What is not known is counted as such, never as nought.
WITH plot AS (
    SELECT r.subject, sum(piece.area_m2) AS stated, sum(piece.area_m2 * piece.far) AS allowed
    FROM pg_temp.record r
    JOIN units_controlarea c ON c.district_id = %(district)s AND c.in_force AND c.kind = 'plot_plan'
         AND c.geom && r.geom AND c.extra ->> 'RJLSX' ~ '^\d+(\.\d+)?$'
    CROSS JOIN LATERAL (
        SELECT ST_Area(ST_CollectionExtract(ST_Intersection(r.geom, c.geom), 3)::geography) AS area_m2,
               (c.extra ->> 'RJLSX')::float8 AS far
        OFFSET 0
    ) AS piece
    WHERE r.parcel_id IS NOT NULL AND ST_Intersects(r.geom, c.geom)
    GROUP BY r.subject
), known AS MATERIALIZED (
    SELECT r.subject, r.parcel_id, r.category, COALESCE(r.street_id, '') AS street, r.survey_id,
           -- GREATEST would read what is not known as nought
           CASE WHEN p.stated >= %(plan_cover)s * r.area_m2 AND r.far IS NOT NULL
                THEN GREATEST(0, p.allowed / p.stated - r.far::float8) * r.net_developable_m2::float8 * r.own END AS intensity,
           r.plan_conflict::float8 * r.area_m2 * r.own AS structure,
           CASE WHEN r.supply_state IS NOT NULL THEN (r.supply_state = 'idle')::integer * r.area_m2 * r.own END AS idle,
           r.approved_unsupplied_share::float8 * r.area_m2 * r.own AS approved,
           (r.supply_state = 'overdue' OR r.completion_overdue > 0
               OR r.right_until < %(day)s::date + make_interval(years => %(expiring_years)s))::integer * r.area_m2 * r.own
               AS management,
           CASE WHEN %(figures)s AND r.sector_tax_mean IS NOT NULL AND r.tax_per_mu IS NOT NULL
                THEN GREATEST(0, r.sector_tax_mean - r.tax_per_mu)::float8 * r.area_m2 / %(mu)s::float8 * r.own END AS yield
    FROM pg_temp.record r
    LEFT JOIN plot p ON p.subject = r.subject
    WHERE r.parcel_id IS NOT NULL
), main_unit AS (
    SELECT DISTINCT ON (p.subject) p.subject, p.code
    FROM pg_temp.piece p
    WHERE p.kind = 'unit' AND p.code <> ''
    ORDER BY p.subject, round(p.area_m2::numeric, 2) DESC, p.code
), member AS (
    SELECT 'all' AS dimension, '' AS name, k.* FROM known k
    UNION ALL SELECT 'category', k.category, k.* FROM known k
    UNION ALL SELECT 'street', k.street, k.* FROM known k
    UNION ALL SELECT 'unit', COALESCE(u.code, ''), k.* FROM known k LEFT JOIN main_unit u ON u.subject = k.subject
), firm AS (
    -- a group of few firms whose tax is known tells of them: how many are there?
    SELECT m.dimension, m.name, count(DISTINCT o.enterprise_id) AS firms
    FROM member m
    JOIN units_occupancy o ON o.parcel_id = m.parcel_id
    WHERE m.yield IS NOT NULL
    GROUP BY m.dimension, m.name
)
SELECT m.dimension, m.name, count(*) AS parcels,
       sum(m.intensity) AS intensity_m2, count(*) - count(m.intensity) AS intensity_unknown,
       sum(m.structure) AS structure_m2, count(*) - count(m.structure) AS structure_unknown,
       sum(m.idle) AS idle_m2, count(*) - count(m.idle) AS idle_unknown,
       sum(m.approved) AS approved_m2, count(*) - count(m.approved) AS approved_unknown,
       sum(m.management) AS management_m2, count(*) - count(m.management) AS management_unknown,
       sum(m.yield) AS yield_10k_cny, count(*) - count(m.yield) AS yield_unknown, COALESCE(max(f.firms), 0) AS firms
FROM member m
LEFT JOIN firm f ON f.dimension = m.dimension AND f.name = m.name
GROUP BY m.dimension, m.name
ORDER BY m.dimension, m.name
