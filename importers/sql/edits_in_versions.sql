-- Which of the held rows that change or leave did people edit since the delivery that brought them, who and when last?
-- Every version is kept of these. An edit bears the delivery of the row it was made to; so a row that was given back by
-- an undoing is edited as it was before. What people wrote and the file does not touch, or says as well, is not lost.
WITH concerned AS (
    SELECT d.held AS id, d.row_number, 'changed' AS what FROM differing d WHERE d.held IS NOT NULL
    UNION ALL
    SELECT l.id, NULL, 'gone' FROM leaving l
), by_hand AS MATERIALIZED (
    SELECT DISTINCT ON (t.id) t.id, e.pgh_created_at AS at, c.metadata ->> 'user' AS who
    FROM concerned o JOIN {table} t USING (id)
    JOIN {table}event e ON e.pgh_obj_id = t.id AND e.delivery_id IS NOT DISTINCT FROM t.delivery_id
    LEFT JOIN pghistory_context c ON c.id = e.pgh_context_id
    WHERE c.metadata ->> 'delivery' IS NULL AND c.metadata ->> 'undone' IS NULL
    ORDER BY t.id, e.pgh_id DESC
)
INSERT INTO overwritten
SELECT o.id, o.row_number, {key}, o.what, coalesce(u.username, ''), h.at
FROM by_hand h JOIN concerned o USING (id) JOIN {table} t USING (id) {joins}
LEFT JOIN staged s ON s.row_number = o.row_number
LEFT JOIN units_user u ON u.id::text = h.who
LEFT JOIN LATERAL (
    SELECT v.* FROM (
        SELECT * FROM {table}event WHERE pgh_obj_id = t.id OFFSET 0) v -- by the row: a delivery has all the others too
    JOIN pghistory_context x ON x.id = v.pgh_context_id
    WHERE v.pgh_label <> 'delete' AND x.metadata ->> 'delivery' = t.delivery_id::text
    ORDER BY v.pgh_id DESC LIMIT 1) b ON true
WHERE o.what = 'gone' OR {lost}
