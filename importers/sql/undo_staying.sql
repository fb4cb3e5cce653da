-- Under which keys are the rows known that stay, now and before the delivery?
SELECT array_agg(DISTINCT key) FROM (
    SELECT {key} AS key FROM {table} t WHERE t.id::text = ANY (%(rows)s)
    UNION ALL
    SELECT {before} FROM (
        SELECT (row::{table}).* FROM importers_replaced
        WHERE delivery_id = %(delivery)s AND "table" = %(table)s AND key = ANY (%(rows)s)) b
) known
