-- Which rows cannot have the key back that they had, because a row has it that the delivery did not bring or that stays?
SELECT b.id::text, {before} FROM (
    SELECT (row::{table}).* FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = %(table)s) b
JOIN {table} t ON {key} = {before} AND t.id <> b.id AND {here}
WHERE b.id::text <> ALL (%(rows)s)
  AND (t.id::text = ANY (%(rows)s)
       OR (t.delivery_id IS DISTINCT FROM %(delivery)s AND NOT EXISTS (
           SELECT FROM importers_replaced o
           WHERE o.delivery_id = %(delivery)s AND o."table" = %(table)s AND o.key = t.id::text)))
ORDER BY 2
