-- What do the control indices ask of each parcel's sector, and how near does the parcel come to it?
-- The district's own come before published ones, those of a narrower sector before wider ones, later before earlier.
-- An index of one edition of the sector codes is found for a code of another by its division, where that is sure.
WITH entry AS (
    SELECT i.figure, length(i.area) AS near, i.digits, i.edition, i.year, i.value::float8 AS value
    FROM unnest(%(index_figures)s::text[], %(index_areas)s::text[], %(index_sectors)s::text[],
                %(index_editions)s::text[], %(index_years)s::integer[], %(index_until)s::integer[],
                %(index_values)s::text[]) AS i (figure, area, digits, edition, year, until, value)
    WHERE %(survey_year)s BETWEEN i.year AND i.until
    UNION ALL
    SELECT b.figure, 7, ltrim(b.sector, 'ABCDEFGHIJKLMNOPQRST'), COALESCE(substring(b.sector_edition FROM '(\d{4})\D*$'), ''),
           b.year, b.value::float8
    FROM units_benchmark b
    WHERE b.district_id = %(district)s AND b.year <= %(survey_year)s AND b.confidence <> 'M'
), split AS (
    SELECT e.*, d.division AS division_2002
    FROM entry e
    LEFT JOIN LATERAL (
        SELECT d.division
        FROM unnest(%(division_editions)s::text[], %(division_sectors)s::text[], %(divisions_2002)s::text[])
            AS d (edition, sector, division)
        WHERE d.edition = e.edition AND starts_with(e.digits, d.sector)
        ORDER BY length(d.sector) DESC
        LIMIT 1
    ) AS d ON TRUE
), trade AS (
    SELECT sector, edition, digits, division_2002 FROM branch
    UNION ALL
    SELECT '', '', NULL, NULL  -- where nobody knows the sector
), met AS (
    SELECT t.sector, t.edition, s.figure, s.near, s.digits, s.year, s.value,
           CASE WHEN s.digits = '' THEN TRUE
                WHEN t.edition = s.edition
                THEN CASE WHEN starts_with(t.digits, s.digits) THEN TRUE
                          WHEN NOT starts_with(s.digits, t.digits) THEN FALSE END
                WHEN '2002' = ANY(ARRAY[t.edition, s.edition])
                THEN CASE WHEN t.division_2002 <> s.division_2002 THEN FALSE
                          WHEN t.division_2002 = s.division_2002 AND s.edition = '2002' AND length(s.digits) = 2
                              THEN TRUE END
                WHEN left(t.digits, 2) <> left(s.digits, 2) THEN FALSE
                WHEN length(s.digits) = 2 AND length(t.digits) >= 2 THEN TRUE END AS meant
    FROM trade t
    CROSS JOIN split s
), picked AS (
    SELECT sector, edition,
           max(value) FILTER (WHERE figure = 'far' AND meant) AS far,
           max(value) FILTER (WHERE figure = 'coverage' AND meant) AS coverage,
           max(value) FILTER (WHERE figure = 'tax_per_mu' AND meant) AS tax,
           max(value) FILTER (WHERE figure = 'output_per_mu' AND meant) AS output,
           max(value) FILTER (WHERE figure = 'investment_per_mu' AND meant) AS investment,
           -- the first that may be meant: nobody can say whether it is
           array_agg(figure) FILTER (WHERE meant IS NULL) AS unsure
    FROM (
        SELECT DISTINCT ON (sector, edition, figure) sector, edition, figure, value, meant
        FROM met
        WHERE meant IS NOT FALSE
        ORDER BY sector, edition, figure, near DESC, length(digits) DESC, year DESC
    ) AS first
    GROUP BY sector, edition
), known AS (
    SELECT p.subject, k.far, k.coverage, k.tax, k.output, k.investment, k.unsure,
           COALESCE(e.gaps ->> 'sector', 'enterprise.sector_edition') AS unsure_gap,
           b.far AS far_built, b.coverage AS coverage_built, e.tax_per_mu, e.output_per_mu, c.investment_per_mu,
           b.gaps ->> 'far' AS built_gap, b.gaps ->> 'coverage' AS covered_gap, e.gaps ->> 'tax_per_mu' AS paid_gap,
           e.gaps ->> 'output_per_mu' AS made_gap, c.gaps ->> 'investment_per_mu' AS invested_gap
    FROM parcel p
    JOIN building b ON b.subject = p.subject
    LEFT JOIN economy e ON e.subject = p.subject
    LEFT JOIN contract c ON c.subject = p.subject
    LEFT JOIN picked k ON k.sector = COALESCE(e.sector, '')
                       AND k.edition = CASE WHEN e.sector IS NULL THEN '' ELSE COALESCE(e.sector_edition, '') END
), told AS (
    SELECT known.*,
           CASE WHEN 'far' = ANY(unsure) THEN unsure_gap WHEN far IS NULL THEN 'benchmark.far' END AS far_gap,
           CASE WHEN 'coverage' = ANY(unsure) THEN unsure_gap WHEN coverage IS NULL THEN 'benchmark.coverage' END
               AS coverage_gap,
           CASE WHEN 'tax_per_mu' = ANY(unsure) THEN unsure_gap WHEN tax IS NULL THEN 'benchmark.tax' END AS tax_gap,
           CASE WHEN 'output_per_mu' = ANY(unsure) THEN unsure_gap WHEN output IS NULL THEN 'benchmark.output' END
               AS output_gap,
           CASE WHEN 'investment_per_mu' = ANY(unsure) THEN unsure_gap
                WHEN investment IS NULL THEN 'benchmark.investment' END AS investment_gap
    FROM known
)
SELECT subject, far AS index_far, coverage AS index_coverage, tax AS index_tax_per_mu, output AS index_output_per_mu,
       investment AS index_investment_per_mu,
       far_built / far AS far_index_ratio, coverage_built / coverage AS coverage_index_ratio,
       tax_per_mu / tax AS tax_index_ratio, output_per_mu / output AS output_index_ratio,
       investment_per_mu / investment AS investment_index_ratio,
       jsonb_strip_nulls(jsonb_build_object(
           'index_far', far_gap,
           'index_coverage', coverage_gap,
           'index_tax_per_mu', tax_gap,
           'index_output_per_mu', output_gap,
           'index_investment_per_mu', investment_gap,
           'far_index_ratio', COALESCE(far_gap, built_gap),
           'coverage_index_ratio', COALESCE(coverage_gap, covered_gap),
           'tax_index_ratio', COALESCE(tax_gap, paid_gap),
           'output_index_ratio', COALESCE(output_gap, made_gap),
           'investment_index_ratio', COALESCE(investment_gap, invested_gap)
       )) AS gaps
FROM told
