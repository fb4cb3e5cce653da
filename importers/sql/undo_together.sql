-- Which further rows, that the delivery brought or that would come back, have these keys?
SELECT id::text, key FROM (
    SELECT t.id, {key} AS key FROM {table} t WHERE t.delivery_id = %(delivery)s
    UNION
    SELECT b.id, {before} FROM (
        SELECT (row::{table}).* FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = %(table)s) b
) further
WHERE key = ANY (%(keys)s) AND id::text <> ALL (%(rows)s)
ORDER BY 2, 1
