-- What did the register say of these legacy polygons when their histories had reached these numbers?
-- From the history alone, so that the same numbers give the same bytes whenever it is asked. Not by time: a transaction
-- that began before a set was sealed, and wrote after it, dates its versions by its beginning.
SELECT r.code, r.address, r.used_since, r.route, r.ownership, r.small_property_housing, r.worth_keeping, r.in_scope,
       r.user_name, r.penalty_number, r.penalty_closed_on, r.worksheet, r.base_survey_year, r.street_id AS street,
       round(ST_Area(r.geom::geography)::numeric, 2)::text AS area_m2,
       encode(ST_AsEWKB(r.geom, 'NDR'), 'hex') AS geometry
FROM units_legacyland l
CROSS JOIN LATERAL (
    SELECT e.* FROM units_legacylandevent e
    WHERE e.pgh_obj_id = l.id AND e.pgh_id <= %(legacyland)s
    ORDER BY e.pgh_id DESC LIMIT 1) r
WHERE l.district_id = %(district)s AND l.code = ANY (%(codes)s)
ORDER BY r.code COLLATE "C"
