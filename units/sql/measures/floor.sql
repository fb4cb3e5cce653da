-- What tax is paid on each square metre of floor area, of office parcels and buildings, and how does it stand to the mean?
WITH paid AS MATERIALIZED (
    SELECT parcel, count(DISTINCT firm) AS firms, sum(tax) AS tax,
           CASE WHEN bool_or(tax_missing) THEN 'enterprise.tax'
                WHEN bool_or(share IS NULL) THEN 'occupancy.area' END AS gap
    FROM holding
    GROUP BY parcel
), beside AS (
    -- what the firms that name no building pay is spread over the buildings of their parcel
    SELECT st.subject AS parcel, sum(st.floor_area) AS floor_area, bool_or(st.floor_area IS NULL) AS missing
    FROM standing st
    WHERE st.counts AND st.subject IN (SELECT host FROM subject WHERE building_id IS NOT NULL)
    GROUP BY st.subject
), room AS (
    SELECT s.subject, h.firm, h.tax, h.tax_missing, h.share, FALSE AS floor_missing
    FROM subject s
    JOIN holding h ON h.building = s.building_id
    UNION ALL
    SELECT s.subject, h.firm, h.tax * f.floor_area / NULLIF(o.floor_area, 0), h.tax_missing, h.share, o.missing
    FROM subject s
    JOIN footprint f ON f.id = s.building_id
    JOIN holding h ON h.parcel = s.host AND h.building IS NULL
    LEFT JOIN beside o ON o.parcel = s.host
), inside AS (
    SELECT subject, count(DISTINCT firm) AS firms, bool_or(tax_missing) AS tax_missing,
           bool_or(share IS NULL) AS share_missing, bool_or(floor_missing) AS floor_missing, sum(tax) AS tax
    FROM room
    GROUP BY subject
), known AS (
    SELECT p.subject, COALESCE(paid.firms, 0) AS firms, paid.tax, paid.gap
    FROM parcel p
    LEFT JOIN paid ON paid.parcel = p.subject
    UNION ALL
    SELECT s.subject, COALESCE(i.firms, 0), i.tax,
           CASE WHEN i.tax_missing THEN 'enterprise.tax' WHEN i.share_missing THEN 'occupancy.area'
                WHEN i.floor_missing THEN 'building.floor_area' END
    FROM subject s
    LEFT JOIN inside i ON i.subject = s.subject
    WHERE s.building_id IS NOT NULL
), told AS (
    SELECT known.*, b.floor_area_m2, mean.tax AS mean_tax, mean.peers,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' END AS layer_gap,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises'
                WHEN firms = 0 THEN 'occupancy'
                ELSE COALESCE(known.gap, b.gaps ->> 'floor_area_m2',
                              CASE WHEN b.floor_area_m2 = 0 THEN 'building.floor_area' END) END AS tax_gap
    FROM known
    JOIN building b ON b.subject = known.subject
    CROSS JOIN floor_mean mean
)
SELECT subject,
       CASE WHEN layer_gap IS NULL THEN firms END AS firms,
       CASE WHEN tax_gap IS NULL THEN tax / floor_area_m2 END AS tax_per_floor_m2,
       CASE WHEN layer_gap IS NULL THEN mean_tax END AS floor_tax_mean,
       CASE WHEN layer_gap IS NULL THEN peers END AS floor_tax_peers,
       CASE WHEN tax_gap IS NULL THEN tax / floor_area_m2 / NULLIF(mean_tax, 0) END AS floor_tax_ratio,
       jsonb_strip_nulls(jsonb_build_object(
           'firms', layer_gap,
           'tax_per_floor_m2', tax_gap,
           'floor_tax_mean', COALESCE(layer_gap, CASE WHEN mean_tax IS NULL THEN 'floor.mean' END),
           'floor_tax_peers', layer_gap,
           'floor_tax_ratio', COALESCE(tax_gap, CASE WHEN COALESCE(mean_tax, 0) = 0 THEN 'floor.mean' END)
       )) AS gaps
FROM told
