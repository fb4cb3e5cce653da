-- Whose may this session be, what may that user see, and at which revisions are these tables?
SELECT s.session_data, u.password,
       (SELECT json_agg(json_build_array(g.name, c.district_id, c.street_id, d.code) ORDER BY c.id)
        FROM units_scope c JOIN auth_group g ON g.id = c.group_id LEFT JOIN units_department d ON d.id = c.department_id
        WHERE c.user_id = u.id),
       (SELECT json_agg(json_build_array(r.name, r.number) ORDER BY r.name)
        FROM units_revision r WHERE r.name = ANY(%(names)s))
FROM (SELECT) one
LEFT JOIN django_session s ON s.session_key = %(session)s AND s.expire_date > %(now)s
LEFT JOIN units_user u ON u.id = %(user)s AND u.is_active
