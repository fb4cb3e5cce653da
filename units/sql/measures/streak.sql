-- For how many years in a row did the firms on each parcel pay nothing, make nothing, or have the worst grade?
-- They are counted back from the survey's.
-- A year without a figure is not nought: a streak that would go on through it is not known. It ends with the year
-- before a firm began, and no more than three years are looked at.
WITH firm AS (
    SELECT DISTINCT h.parcel, h.firm, extract(year FROM h.started_on)::integer AS began
    FROM holding h
    JOIN parcel p ON p.subject = h.parcel
), looked_at AS (
    SELECT f.firm, back.back, %(survey_year)s - back.back < f.began AS before, y.tax_cny, y.output_cny,
           NULLIF(y.grade, '') AS grade
    FROM (SELECT DISTINCT firm, began FROM firm) AS f
    CROSS JOIN generate_series(0, 2) AS back (back)
    LEFT JOIN units_enterpriseyear y ON y.enterprise_id = f.firm AND y.year = %(survey_year)s - back.back
), run AS (
    -- of each streak the years that are sure, and the years at most
    SELECT firm,
           LEAST(3, min(back) FILTER (WHERE before OR COALESCE(tax_cny > 0, TRUE))) AS tax_least,
           LEAST(3, min(back) FILTER (WHERE before OR tax_cny > 0)) AS tax_most,
           LEAST(3, min(back) FILTER (WHERE before OR COALESCE(output_cny > 0, TRUE))) AS output_least,
           LEAST(3, min(back) FILTER (WHERE before OR output_cny > 0)) AS output_most,
           LEAST(3, min(back) FILTER (WHERE before OR COALESCE(grade <> 'D', TRUE))) AS grade_least,
           LEAST(3, min(back) FILTER (WHERE before OR grade <> 'D')) AS grade_most
    FROM looked_at
    GROUP BY firm
), whole AS (
    -- nothing was paid on the parcel while none of its firms did; of grades the longest streak of one firm counts
    SELECT f.parcel, min(r.tax_least) AS tax_least, min(r.tax_most) AS tax_most,
           min(r.output_least) AS output_least, min(r.output_most) AS output_most,
           max(r.grade_least) AS grade_least, max(r.grade_most) AS grade_most
    FROM firm f
    JOIN run r ON r.firm = f.firm
    GROUP BY f.parcel
), known AS (
    SELECT p.subject, w.*,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' WHEN w.parcel IS NULL THEN 'occupancy' END AS firm_gap
    FROM parcel p
    LEFT JOIN whole w ON w.parcel = p.subject
)
SELECT subject,
       CASE WHEN tax_least = tax_most THEN tax_least END AS no_tax_years,
       CASE WHEN output_least = output_most THEN output_least END AS no_output_years,
       CASE WHEN grade_least = grade_most THEN grade_least END AS d_grade_years,
       jsonb_strip_nulls(jsonb_build_object(
           'no_tax_years', COALESCE(firm_gap, CASE WHEN tax_least < tax_most THEN 'enterprise.tax_years' END),
           'no_output_years', COALESCE(firm_gap, CASE WHEN output_least < output_most THEN 'enterprise.output_years' END),
           'd_grade_years', COALESCE(firm_gap, CASE WHEN grade_least < grade_most THEN 'enterprise.grade_years' END)
       )) AS gaps
FROM known
