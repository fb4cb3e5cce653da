-- Which rows of this delivery stayed as they were edited when a later one was taken back, and when which was?
SELECT r.key, max(d.id)
FROM importers_replaced r JOIN units_delivery d ON d.id = r.delivery_id
WHERE r."table" = %(table)s AND d.state = 'undone' AND d.id > %(delivery)s
  AND ((r.row::{table}).delivery_id = %(delivery)s OR r.key IN
        (SELECT key FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = %(table)s))
GROUP BY 1 ORDER BY 1
