-- What do the firms on each parcel pay and make, in which sector, and how does that stand to the mean of the sector?
-- Where no firm is known on a parcel nothing is known of its economy. `firm_total` and `sector_peer` tell it of the whole
-- district; how a parcel stands to its sector is measured there alone.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), known AS (
    SELECT p.subject, f.*, q.sector_tax_mean, q.sector_peers, q.tax_ratio,
           q.gaps AS peer_gaps, b.open, b.unsure, b.told,
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
    LEFT JOIN firm_total f ON f.parcel = p.subject
    LEFT JOIN sector_peer q ON q.subject = p.subject
    LEFT JOIN breach b ON b.subject = p.subject
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
       CASE WHEN sector_gap IS NULL THEN NULLIF(edition, '') END AS sector_edition,
       CASE WHEN sector_gap IS NULL THEN left(ltrim(sector, 'ABCDEFGHIJKLMNOPQRST'), 2) END AS sector_division,
       sector_tax_mean, sector_peers, tax_ratio,
       above_scale, is_strategic AS strategic,
       CASE WHEN NOT start_missing THEN GREATEST(0, years) END AS production_years,
       CASE WHEN firm_gap IS NOT NULL THEN NULL WHEN violation OR open > 0 THEN TRUE
            WHEN NOT violation_unknown AND unsure = 0 AND (penalties_told OR told) THEN FALSE END AS violation_open,
       CASE WHEN NOT grade_missing THEN grade END AS grade,
       jsonb_strip_nulls(jsonb_build_object(
           'tax_per_mu', COALESCE(firm_gap, tax_gap),
           'output_per_mu', COALESCE(firm_gap, output_gap),
           'sector', COALESCE(firm_gap, sector_gap),
           'sector_division', COALESCE(firm_gap, sector_gap),
           'sector_edition', COALESCE(firm_gap, sector_gap),
           'above_scale', COALESCE(firm_gap, above_gap),
           'strategic', COALESCE(firm_gap, strategic_gap),
           'production_years', COALESCE(firm_gap, CASE WHEN start_missing THEN 'enterprise.started_on' END),
           'violation_open', COALESCE(firm_gap, CASE WHEN violation OR open > 0 THEN NULL
                                                     WHEN violation_unknown OR unsure > 0 THEN 'enterprise.rectified'
                                                     WHEN NOT penalties_told AND NOT told THEN 'enterprise.penalty' END),
           'grade', COALESCE(firm_gap, CASE WHEN grade_missing THEN 'enterprise.grade' END)
       )) || COALESCE(peer_gaps, jsonb_strip_nulls(jsonb_build_object(
           'sector_tax_mean', firm_gap, 'sector_peers', firm_gap, 'tax_ratio', firm_gap
       ))) AS gaps
FROM told
