-- Which rows that this delivery brought or changed did somebody change or delete since, who and when last?
SELECT e.key::text, (array_agg(e.name ORDER BY e.id DESC))[1] AS name, bool_or(e.what = 'deleted'), max(e.at),
    (array_agg(u.username ORDER BY e.id DESC))[1]
FROM importers_edited e LEFT JOIN units_user u ON u.id = e."user"
WHERE e."table" = %(table)s AND (e.delivery = %(delivery)s OR (e.delivery > %(delivery)s AND e.key::text IN
        (SELECT key FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = %(table)s)))
GROUP BY 1 ORDER BY 4, 2
