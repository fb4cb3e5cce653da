-- What do the firms on each parcel sell, and what energy, power and water do they use for it?
-- Each figure is shared out over a firm's places as its tax is; where one firm's is not known, the parcel's is not.
WITH used AS (
    SELECT h.parcel, p.area_m2 / %(mu)s::float8 AS mu, bool_or(h.share IS NULL) AS share_missing,
           bool_or(h.sales IS NULL) AS sales_missing, sum(h.sales * h.share) AS sales,
           bool_or(h.energy IS NULL) AS energy_missing, sum(h.energy * h.share) AS energy,
           bool_or(h.power IS NULL) AS power_missing, sum(h.power * h.share) AS power,
           bool_or(h.water IS NULL) AS water_missing, sum(h.water * h.share) AS water,
           bool_or(h.output_missing) AS output_missing, sum(h.output) AS output
    FROM holding h
    JOIN parcel p ON p.subject = h.parcel
    GROUP BY h.parcel, p.area_m2
), known AS (
    SELECT p.subject, u.*,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' WHEN u.parcel IS NULL THEN 'occupancy' END AS firm_gap,
           CASE WHEN u.share_missing THEN 'occupancy.area' END AS share_gap,
           CASE WHEN u.sales_missing THEN 'enterprise.sales' END AS sales_gap,
           CASE WHEN u.energy_missing THEN 'enterprise.energy' END AS energy_gap,
           CASE WHEN u.power_missing THEN 'enterprise.power' END AS power_gap,
           CASE WHEN u.water_missing THEN 'enterprise.water' END AS water_gap,
           CASE WHEN u.output_missing THEN 'enterprise.output' WHEN u.energy_missing OR u.energy = 0
                THEN 'enterprise.energy' END AS intensity_gap
    FROM parcel p
    LEFT JOIN used u ON u.parcel = p.subject
)
SELECT subject,
       CASE WHEN COALESCE(sales_gap, share_gap) IS NULL THEN sales / 10000 / mu END AS sales_per_mu,
       CASE WHEN COALESCE(energy_gap, share_gap) IS NULL THEN energy / mu END AS energy_per_mu,
       CASE WHEN COALESCE(power_gap, share_gap) IS NULL THEN power / mu END AS power_per_mu,
       CASE WHEN COALESCE(water_gap, share_gap) IS NULL THEN water / mu END AS water_per_mu,
       CASE WHEN COALESCE(intensity_gap, share_gap) IS NULL THEN output / 10000 / NULLIF(energy, 0) END AS output_per_tce,
       jsonb_strip_nulls(jsonb_build_object(
           'sales_per_mu', COALESCE(firm_gap, sales_gap, share_gap),
           'energy_per_mu', COALESCE(firm_gap, energy_gap, share_gap),
           'power_per_mu', COALESCE(firm_gap, power_gap, share_gap),
           'water_per_mu', COALESCE(firm_gap, water_gap, share_gap),
           'output_per_tce', COALESCE(firm_gap, intensity_gap, share_gap)
       )) AS gaps
FROM known
