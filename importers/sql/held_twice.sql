-- Which rows of these deliveries were taken, of whose key a later row of the file was refused?
SELECT f.details #>> '{{told,parts,value}}', t.row_digest, t.row_number
FROM units_finding f
JOIN units_delivery d ON d.id = f.delivery_id
-- The same file may have been imported again since, and its rows be of either delivery.
JOIN units_delivery o ON o.id = ANY (%(completes)s) AND o.sha256 = d.sha256 AND o.layer = d.layer
JOIN {table} t ON t.delivery_id = o.id AND t.row_number::text = f.details #>> '{{told,parts,more}}'
WHERE f.delivery_id = ANY (%(completes)s) AND f.code = '3-key-duplicate'
