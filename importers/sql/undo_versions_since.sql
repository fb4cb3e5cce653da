-- Which rows that this delivery brought, changed or took out did somebody change or delete since, who and when last?
-- Deliveries and their taking back are told apart from people; clocks are not asked, versions are numbered.
SELECT e.pgh_obj_id::text, (array_agg(e.{key} ORDER BY e.pgh_id DESC))[1] AS name,
    bool_or(e.pgh_label = 'delete'), max(e.pgh_created_at), (array_agg(u.username ORDER BY e.pgh_id DESC))[1]
FROM {table}event e LEFT JOIN pghistory_context c ON c.id = e.pgh_context_id
LEFT JOIN units_user u ON u.id::text = c.metadata ->> 'user'
WHERE ({brought} OR e.pgh_obj_id::text IN
        (SELECT key FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = %(table)s))
  AND e.pgh_label <> 'insert' AND c.metadata ->> 'delivery' IS NULL AND c.metadata ->> 'undone' IS NULL
  AND e.pgh_id > (SELECT max(o.pgh_id) FROM {table}event o JOIN pghistory_context x ON x.id = o.pgh_context_id
                  WHERE x.metadata ->> 'delivery' = %(delivery)s::text)
GROUP BY 1 ORDER BY 4, 2
