-- What do the firms on each parcel of the district pay and make together, and of which sector are they?
-- A code means what its edition says. Of the whole district, whichever parcel is asked for: a sector has one mean.
WITH sector AS (
    SELECT DISTINCT ON (parcel) parcel, sector, edition, weight IS NULL AND several AS unweighed
    FROM (
        SELECT parcel, sector, edition, sum(weight) AS weight, count(*) OVER (PARTITION BY parcel) > 1 AS several
        FROM holding
        GROUP BY parcel, sector, edition
    ) AS one
    ORDER BY parcel, round(weight::numeric, 6) DESC NULLS LAST, sector, edition
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
)
SELECT f.*, s.sector, s.edition,
       CASE WHEN s.sector IS NULL THEN 'enterprise.sector' WHEN s.unweighed THEN 'occupancy.area' END AS sector_gap,
       CASE WHEN f.tax_missing THEN 'enterprise.tax' WHEN f.share_missing THEN 'occupancy.area' END AS tax_gap,
       CASE WHEN f.output_missing THEN 'enterprise.output' WHEN f.share_missing THEN 'occupancy.area' END
           AS output_gap
FROM firm f
JOIN sector s ON s.parcel = f.parcel
