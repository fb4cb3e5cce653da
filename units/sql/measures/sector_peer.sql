-- How does the tax of each parcel with firms stand to the mean of the other parcels of its sector?
-- Of the whole district, whichever parcel is asked for. Parcels of the same code in two editions are no peers.
WITH mean AS (
    SELECT sector, edition, sum(tax) AS tax, sum(mu) AS mu, count(*) AS parcels
    FROM firm_total
    WHERE sector_gap IS NULL AND tax_gap IS NULL
    GROUP BY sector, edition
), known AS (
    SELECT f.parcel AS subject, f.sector_gap, f.tax_gap, f.tax / f.mu AS tax, peer.parcels AS peers,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' END AS firm_gap,
           CASE WHEN peer.parcels > 0 THEN peer.tax / NULLIF(peer.mu, 0) END AS mean_tax
    FROM firm_total f
    LEFT JOIN mean m ON m.sector = f.sector AND m.edition = f.edition AND f.sector_gap IS NULL
    CROSS JOIN LATERAL (
        SELECT m.parcels - own.one AS parcels, m.mu - own.one * f.mu AS mu,
               CASE WHEN m.tax - own.one * COALESCE(f.tax, 0) >= 0.01 THEN m.tax - own.one * COALESCE(f.tax, 0) ELSE 0 END
                   AS tax
        FROM (SELECT (f.tax_gap IS NULL)::integer AS one) AS own
    ) AS peer
)
SELECT subject, mean_tax / 10000 AS sector_tax_mean,
       CASE WHEN sector_gap IS NULL THEN COALESCE(peers, 0) END AS sector_peers,
       CASE WHEN tax_gap IS NULL THEN tax / NULLIF(mean_tax, 0) END AS tax_ratio,
       jsonb_strip_nulls(jsonb_build_object(
           'sector_tax_mean', COALESCE(firm_gap, sector_gap, CASE WHEN mean_tax IS NULL THEN 'sector.mean' END),
           'sector_peers', COALESCE(firm_gap, sector_gap),
           'tax_ratio', COALESCE(firm_gap, tax_gap, sector_gap,
                                 CASE WHEN COALESCE(mean_tax, 0) = 0 THEN 'sector.mean' END)
       )) AS gaps
FROM known
