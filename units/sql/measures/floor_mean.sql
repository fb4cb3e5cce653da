-- What tax is paid on each square metre of floor area, over all office parcels of the district whose figures are known?
-- A building counts to the parcel that holds a point inside it.
WITH use_class AS (
    SELECT u.scheme, u.use
    FROM unnest(%(use_schemes)s::text[], %(use_codes)s::text[], %(use_categories)s::text[]) AS u (scheme, use, category)
    WHERE u.category = 'office'
), paid AS MATERIALIZED (
    SELECT parcel, count(DISTINCT firm) AS firms, sum(tax) AS tax,
           CASE WHEN bool_or(tax_missing) THEN 'enterprise.tax'
                WHEN bool_or(share IS NULL) THEN 'occupancy.area' END AS gap
    FROM holding
    GROUP BY parcel
), peer AS (
    SELECT p.id, paid.tax, sum(COALESCE(NULLIF(b.floor_area_m2, 0)::float8, b.area_m2 * b.floors::float8)) AS floor_area,
           bool_and(COALESCE(NULLIF(b.floor_area_m2, 0)::float8, b.area_m2 * b.floors::float8) IS NOT NULL) AS known
    FROM paid
    JOIN units_parcel p ON p.id = paid.parcel
    JOIN use_class u ON u.scheme = p.use_scheme AND u.use = p.registered_use
    JOIN units_building b ON b.survey_id = %(survey)s AND b.geom && p.geom AND NOT b.temporary
         AND b.floors IS DISTINCT FROM 0 AND ST_Contains(p.geom, ST_PointOnSurface(b.geom))
    WHERE paid.gap IS NULL
    GROUP BY p.id, paid.tax
)
SELECT sum(tax) / NULLIF(sum(floor_area), 0) AS tax, count(*) AS peers FROM peer WHERE known AND floor_area > 0
