-- What do the firms on each parcel pay and make, in which sector, and how does that stand to the mean of the sector?
-- Where no firm is known on a parcel nothing is known of its economy.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), sector AS (
    SELECT DISTINCT ON (parcel) parcel, sector, weight IS NULL AND several AS unweighed
    FROM (
        SELECT parcel, sector, sum(weight) AS weight, count(*) OVER (PARTITION BY parcel) > 1 AS several
        FROM holding
        GROUP BY parcel, sector
    ) AS one
    ORDER BY parcel, round(weight::numeric, 6) DESC NULLS LAST, sector
), firm AS (
    SELECT h.parcel, p.area_m2 / %(mu)s::float8 AS mu,
           bool_or(h.tax_missing) AS tax_missing, bool_or(h.output_missing) AS output_missing,
           bool_or(h.share IS NULL) AS share_missing, bool_or(h.weight IS NULL) AS weight_missing,
           sum(h.tax) AS tax, sum(h.output) AS output,
           bool_and(h.above_scale) AS all_above, bool_or(h.above_scale) AS any_above,
           COALESCE(sum(h.weight) FILTER (WHERE h.above_scale), 0) AS above,
           COALESCE(sum(h.weight) FILTER (WHERE h.above_scale IS NULL), 0) AS above_unknown,
           bool_or(h.above_scale IS NULL) AS above_missing,
           bool_and(h.strategic) AS all_strategic, bool_or(h.strategic) AS any_strategic,
           COALESCE(sum(h.weight) FILTER (WHERE h.strategic), 0) AS strategic,
           COALESCE(sum(h.weight) FILTER (WHERE h.strategic IS NULL), 0) AS strategic_unknown,
           bool_or(h.strategic IS NULL) AS strategic_missing,
           min(h.started_on) AS started_on, bool_or(h.started_on IS NULL) AS start_missing,
           bool_or(h.fined AND NOT h.mended) AS violation, bool_or(h.fined AND h.mended IS NULL) AS violation_unknown,
           bool_and(h.penalties_told) AS penalties_told,
           COALESCE(max(h.grade) FILTER (WHERE h.grade <> 'T'), max(h.grade)) AS grade,
           bool_or(h.grade IS NULL) AS grade_missing
    FROM holding h
    JOIN units_parcel p ON p.id = h.parcel
    GROUP BY h.parcel, p.area_m2
), paid AS MATERIALIZED (
    SELECT f.*, s.sector,
           CASE WHEN s.sector IS NULL THEN 'enterprise.sector' WHEN s.unweighed THEN 'occupancy.area' END AS sector_gap,
           CASE WHEN f.tax_missing THEN 'enterprise.tax' WHEN f.share_missing THEN 'occupancy.area' END AS tax_gap,
           CASE WHEN f.output_missing THEN 'enterprise.output' WHEN f.share_missing THEN 'occupancy.area' END
               AS output_gap
    FROM firm f
    JOIN sector s ON s.parcel = f.parcel
), mean AS (
    -- of the whole district, whichever parcel is asked for
    SELECT sector, sum(tax) AS tax, sum(mu) AS mu, count(*) AS parcels
    FROM paid
    WHERE sector_gap IS NULL AND tax_gap IS NULL
    GROUP BY sector
), known AS (
    SELECT p.subject, f.*, f.parcel IS NOT NULL AS found, peer.parcels AS peers,
           CASE WHEN peer.parcels > 0 THEN peer.tax / NULLIF(peer.mu, 0) END AS mean_tax,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' WHEN f.parcel IS NULL THEN 'occupancy' END AS firm_gap,
           CASE WHEN f.all_above THEN TRUE WHEN NOT f.any_above AND NOT f.above_missing THEN FALSE
                WHEN f.weight_missing THEN NULL WHEN f.above > 0.5 + 1e-9 THEN TRUE
                WHEN f.above + f.above_unknown <= 0.5 + 1e-9 THEN FALSE END AS above_scale,
           CASE WHEN f.all_strategic THEN TRUE WHEN NOT f.any_strategic AND NOT f.strategic_missing THEN FALSE
                WHEN f.weight_missing THEN NULL WHEN f.strategic > 0.5 + 1e-9 THEN TRUE
                WHEN f.strategic + f.strategic_unknown <= 0.5 + 1e-9 THEN FALSE END AS is_strategic,
           y.years + (day.day - (f.started_on + make_interval(years => y.years))::date)::numeric
               / ((f.started_on + make_interval(years => y.years + 1))::date
                  - (f.started_on + make_interval(years => y.years))::date) AS years
    FROM parcel p
    CROSS JOIN day
    LEFT JOIN paid f ON f.parcel = p.subject
    LEFT JOIN mean m ON m.sector = f.sector AND f.sector_gap IS NULL
    -- a parcel is compared with the others: what is its own is taken out, and what is left of nothing is nothing
    CROSS JOIN LATERAL (
        SELECT m.parcels - own.one AS parcels, m.mu - own.one * f.mu AS mu,
               CASE WHEN m.tax - own.one * COALESCE(f.tax, 0) >= 0.01 THEN m.tax - own.one * COALESCE(f.tax, 0) ELSE 0 END
                   AS tax
        FROM (SELECT (f.tax_gap IS NULL)::integer AS one) AS own
    ) AS peer
    CROSS JOIN LATERAL (SELECT extract(year FROM age(day.day, f.started_on))::integer AS years) AS y
), told AS (
    SELECT known.*,
           CASE WHEN firm_gap IS NULL AND above_scale IS NULL
                THEN CASE WHEN above_missing THEN 'enterprise.above_scale' ELSE 'occupancy.area' END END AS above_gap,
           CASE WHEN firm_gap IS NULL AND is_strategic IS NULL
                THEN CASE WHEN strategic_missing THEN 'enterprise.strategic' ELSE 'occupancy.area' END END AS strategic_gap
    FROM known
)
SELECT subject,
       CASE WHEN tax_gap IS NULL THEN tax / 10000 / mu END AS tax_per_mu,
       CASE WHEN output_gap IS NULL THEN output / 10000 / mu END AS output_per_mu,
       CASE WHEN sector_gap IS NULL THEN sector END AS sector,
       CASE WHEN sector_gap IS NULL THEN left(ltrim(sector, 'ABCDEFGHIJKLMNOPQRST'), 2) END AS sector_division,
       mean_tax / 10000 AS sector_tax_mean,
       CASE WHEN sector_gap IS NULL AND found THEN COALESCE(peers, 0) END AS sector_peers,
       CASE WHEN tax_gap IS NULL THEN tax / mu / NULLIF(mean_tax, 0) END AS tax_ratio,
       above_scale, is_strategic AS strategic,
       CASE WHEN NOT start_missing THEN GREATEST(0, years) END AS production_years,
       CASE WHEN violation THEN TRUE WHEN NOT violation_unknown AND penalties_told THEN FALSE END AS violation_open,
       CASE WHEN NOT grade_missing THEN grade END AS grade,
       jsonb_strip_nulls(jsonb_build_object(
           'tax_per_mu', COALESCE(firm_gap, tax_gap),
           'output_per_mu', COALESCE(firm_gap, output_gap),
           'sector', COALESCE(firm_gap, sector_gap),
           'sector_division', COALESCE(firm_gap, sector_gap),
           'sector_tax_mean', COALESCE(firm_gap, sector_gap, CASE WHEN mean_tax IS NULL THEN 'sector.mean' END),
           'sector_peers', COALESCE(firm_gap, sector_gap),
           'tax_ratio', COALESCE(firm_gap, tax_gap, sector_gap,
                                 CASE WHEN COALESCE(mean_tax, 0) = 0 THEN 'sector.mean' END),
           'above_scale', COALESCE(firm_gap, above_gap),
           'strategic', COALESCE(firm_gap, strategic_gap),
           'production_years', COALESCE(firm_gap, CASE WHEN start_missing THEN 'enterprise.started_on' END),
           'violation_open', COALESCE(firm_gap, CASE WHEN violation THEN NULL
                                                     WHEN violation_unknown THEN 'enterprise.rectified'
                                                     WHEN NOT penalties_told THEN 'enterprise.penalty' END),
           'grade', COALESCE(firm_gap, CASE WHEN grade_missing THEN 'enterprise.grade' END)
       )) AS gaps
FROM told
