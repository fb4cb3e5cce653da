-- Which sectors do the firms name, and which division of the edition of 2002 did each stand under?
WITH named AS (
    SELECT DISTINCT h.sector, h.edition, ltrim(h.sector, 'ABCDEFGHIJKLMNOPQRST') AS digits
    FROM holding h
    WHERE h.sector IS NOT NULL
)
SELECT n.sector, n.edition, n.digits, d.division AS division_2002
FROM named n
LEFT JOIN LATERAL (
    SELECT d.division
    FROM unnest(%(division_editions)s::text[], %(division_sectors)s::text[], %(divisions_2002)s::text[])
        AS d (edition, sector, division)
    WHERE d.edition = n.edition AND starts_with(n.digits, d.sector)
    ORDER BY length(d.sector) DESC
    LIMIT 1
) AS d ON TRUE
