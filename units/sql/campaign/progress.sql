-- How far is each department, street and category of a campaign, and each kind of state?
-- A lead's part is done when the form is submitted, a co department's when it confirmed every group it answers for.
WITH part AS (
    SELECT s.id, s.street_id, s.category, s.state, t.part, t.department_id, t.due_on,
           CASE WHEN s.state IN ('checked', 'determined') THEN TRUE
                WHEN t.part = 'lead' THEN s.state = 'co_check'
                ELSE NOT EXISTS (SELECT FROM jsonb_array_elements_text(t.groups) AS g (name)
                                 WHERE t.verdict -> g.name ->> 'verdict' IS DISTINCT FROM 'confirmed') END AS done
    FROM units_factsheet s JOIN units_formtask t ON t.sheet_id = s.id
    WHERE s.campaign_id = %(campaign)s AND s.id = ANY (%(sheets)s::bigint[]) AND s.state <> 'dropped'
), sheet AS (
    SELECT s.id, s.street_id, s.category, s.state, s.due_on,
           s.state IN ('co_check', 'checked', 'determined') AS submitted,
           s.state IN ('checked', 'determined') AS checked, s.state = 'dropped' AS dropped
    FROM units_factsheet s WHERE s.campaign_id = %(campaign)s AND s.id = ANY (%(sheets)s::bigint[])
)
SELECT 'department' AS of, d.code, d.name, part.part, count(*) AS forms, count(*) FILTER (WHERE part.done) AS done,
       count(*) FILTER (WHERE NOT part.done AND part.due_on < %(today)s) AS overdue, NULL::bigint AS checked
FROM part JOIN units_department d ON d.id = part.department_id
GROUP BY d.code, d.name, part.part
UNION ALL
SELECT 'street', coalesce(sheet.street_id, ''), coalesce(st.name, ''), '', count(*),
       count(*) FILTER (WHERE submitted), count(*) FILTER (WHERE NOT submitted AND due_on < %(today)s),
       count(*) FILTER (WHERE checked)
FROM sheet LEFT JOIN units_street st ON st.code = sheet.street_id WHERE NOT dropped
GROUP BY sheet.street_id, st.name
UNION ALL
SELECT 'category', category, '', '', count(*),
       count(*) FILTER (WHERE submitted), count(*) FILTER (WHERE NOT submitted AND due_on < %(today)s),
       count(*) FILTER (WHERE checked)
FROM sheet WHERE NOT dropped GROUP BY category
UNION ALL
SELECT 'state', state, '', '', count(*), NULL, NULL, NULL FROM sheet GROUP BY state
ORDER BY 1, 4 DESC, 2
