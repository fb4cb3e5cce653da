-- Which of the held rows that change or leave did people edit since the delivery that brought them, who and when last?
-- Of these no versions are kept, only that somebody changed a delivered row; what came with no delivery was made by
-- hand. What the file says as well as the row is not lost.
WITH concerned AS (
    SELECT d.held AS id, d.row_number, 'changed' AS what FROM differing d WHERE d.held IS NOT NULL
    UNION ALL
    SELECT l.id, NULL, 'gone' FROM leaving l
), by_hand AS MATERIALIZED (
    SELECT DISTINCT ON (t.id) t.id, e.at, e."user" AS who
    FROM importers_edited e JOIN {table} t ON t.id = e.key AND t.delivery_id = e.delivery
    WHERE e."table" = %(table)s AND e.what = 'edited'
    ORDER BY t.id, e.id DESC
), made AS (
    SELECT t.id, NULL::timestamptz AS at, NULL::bigint AS who
    FROM concerned o JOIN {table} t USING (id) WHERE t.delivery_id IS NULL
)
INSERT INTO overwritten
SELECT o.id, o.row_number, {key}, o.what, coalesce(u.username, ''), h.at
FROM (SELECT * FROM by_hand UNION ALL SELECT * FROM made) h
JOIN concerned o USING (id) JOIN {table} t USING (id) {joins}
LEFT JOIN staged s ON s.row_number = o.row_number
LEFT JOIN units_user u ON u.id = h.who
WHERE o.what = 'gone' OR {lost}
