-- Which problems that are not closed hang on the land of these records or on these legacy polygons?
SELECT DISTINCT p.number, p.kind AS problem, p.place, p.description, p.ask, p.level, p.state, p.answer, p.raised_on, p.due_on,
       owner.code AS owner
FROM units_problem p
LEFT JOIN units_department owner ON owner.id = p.owner_id
WHERE p.district_id = %(district)s AND p.state <> 'closed' AND (
    EXISTS (SELECT 1 FROM units_problem_parcels pp JOIN units_determination d ON d.parcel_id = pp.parcel_id
            WHERE pp.problem_id = p.id AND %(register)s = 'record'
            AND d.district_id = p.district_id AND d.code = ANY (%(codes)s))
    OR EXISTS (SELECT 1 FROM units_problem_legacy_lands pl JOIN units_legacyland l ON l.id = pl.legacyland_id
               WHERE pl.problem_id = p.id AND %(register)s = 'legacy'
               AND l.district_id = p.district_id AND l.code = ANY (%(codes)s)))
ORDER BY p.number
