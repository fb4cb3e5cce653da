-- What was done, by whom and when, of everything that the entries, moves, scopes and deliveries keep?
WITH done AS (
    SELECT e.at, e.kind, e.name, e.by_id AS person, e.district_id AS district, e.subject, e.details
    FROM units_auditentry e
    UNION ALL
    SELECT m.at, CASE m.register WHEN 'criteria' THEN 'criteria' ELSE 'move' END, COALESCE(u.username, ''), m.by_id,
           m.district_id, m.subject,
           jsonb_build_object('register', m.register, 'from', m.from_state, 'to', m.to_state, 'role', m.role)
    FROM units_move m LEFT JOIN units_user u ON u.id = m.by_id
    UNION ALL
    SELECT s.pgh_created_at, 'scope', COALESCE(a.username, c.metadata ->> 'db_user', ''), a.id, s.district_id,
           COALESCE(w.username, '#' || s.user_id),
           jsonb_build_object('change', s.pgh_label, 'role', g.name, 'district', s.district_id, 'street', s.street_id)
    FROM units_scopeevent s
    LEFT JOIN pghistory_context c ON c.id = s.pgh_context_id
    LEFT JOIN units_user a ON a.id = (CASE WHEN jsonb_typeof(c.metadata -> 'user') = 'number'
                                           THEN (c.metadata ->> 'user')::bigint END)
    LEFT JOIN units_user w ON w.id = s.user_id
    LEFT JOIN auth_group g ON g.id = s.group_id
    UNION ALL
    SELECT d.imported_at, 'import', COALESCE(u.username, ''), d.imported_by_id, d.district_id, d.file_name,
           jsonb_build_object('layer', d.layer, 'profile', d.profile, 'rows', d.rows, 'refused', d.refused)
    FROM units_delivery d LEFT JOIN units_user u ON u.id = d.imported_by_id
), chosen AS (
    SELECT done.* FROM done
    WHERE (%(all)s OR done.district = ANY(%(districts)s)
           -- What lies in no district is of the persons who hold a role in one.
           OR (done.district IS NULL AND EXISTS (SELECT 1 FROM units_scope s WHERE s.user_id = done.person
                                                 AND s.district_id = ANY(%(districts)s))))
      AND (%(person)s = '' OR done.name = %(person)s OR (done.kind = 'scope' AND done.subject = %(person)s))
      AND (%(kind)s = '' OR done.kind = %(kind)s)
      AND (%(since)s::timestamptz IS NULL OR done.at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR done.at < %(until)s)
), page AS (
    SELECT * FROM chosen ORDER BY at DESC, kind, subject LIMIT %(count)s OFFSET %(start)s
)
SELECT page.at, page.kind, page.name, page.district, page.subject, page.details, counted.total
FROM (SELECT count(*) AS total FROM chosen) counted LEFT JOIN page ON TRUE
ORDER BY page.at DESC, page.kind, page.subject
