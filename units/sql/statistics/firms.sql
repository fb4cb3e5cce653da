-- What land does each firm use on the last day of the year, and what did it make in the year and the one before?
-- Its land is what its occupancies say; else the parcel by floor area used; a parcel that one firm has alone is its own.
WITH day AS (
    SELECT make_date(%(year)s, 12, 31) AS day
), held AS (
    SELECT o.enterprise_id AS firm, o.parcel_id AS parcel, p.area_m2, NULLIF(o.land_area_m2, 0)::float8 AS land,
           NULLIF(o.floor_area_m2, 0)::float8 AS floor
    FROM units_occupancy o
    JOIN units_parcel p ON p.id = o.parcel_id AND p.survey_id = %(survey)s
    CROSS JOIN day
    WHERE (o.since IS NULL OR o.since <= day.day) AND (o.until IS NULL OR o.until >= day.day)
), place AS (
    SELECT parcel, count(DISTINCT firm) AS firms, count(*) = count(floor) AS weighed, sum(floor) AS floor
    FROM held
    GROUP BY parcel
), used AS (
    SELECT h.firm, h.parcel,
           CASE WHEN count(*) = count(h.land) THEN sum(h.land) WHEN p.firms = 1 THEN h.area_m2
                WHEN p.weighed THEN h.area_m2 * sum(h.floor) / p.floor END AS land
    FROM held h
    JOIN place p ON p.parcel = h.parcel
    GROUP BY h.firm, h.parcel, h.area_m2, p.firms, p.weighed, p.floor
), land AS (
    SELECT firm, CASE WHEN count(*) = count(land) THEN sum(land) END AS land_m2 FROM used GROUP BY firm
)
SELECT e.id, e.name, e.credit_code, e.sector, e.sector_edition, e.above_scale, e.started_on,
       round((l.land_m2 / %(mu)s::float8)::numeric, 4) AS mu,
       y.tax_cny AS tax, y.sales_cny AS sales, y.output_cny AS output, y.energy_tce AS energy, y.employees,
       COALESCE(y.grade, '') AS official, y.extra AS further,
       b.tax_cny AS tax_before, b.sales_cny AS sales_before, b.output_cny AS output_before, b.energy_tce AS energy_before,
       b.employees AS employees_before, b.extra AS further_before
FROM units_enterprise e
LEFT JOIN land l ON l.firm = e.id
LEFT JOIN units_enterpriseyear y ON y.enterprise_id = e.id AND y.year = %(year)s
LEFT JOIN units_enterpriseyear b ON b.enterprise_id = e.id AND b.year = %(year)s - 1
WHERE e.district_id = %(district)s
ORDER BY e.credit_code, e.name, e.id
