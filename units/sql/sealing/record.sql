-- What did the register say of these low-efficiency records when their histories had reached these numbers?
-- From the history alone, so that the same numbers give the same bytes whenever it is asked. Not by time: a transaction
-- that began before a set was sealed, and wrote after it, dates its versions by its beginning. Of the form there is a
-- digest: it tells a change, and a firm's figures stay with those who may read them.
SELECT r.code, r.category, r.subtype, r.result, r.reason_codes, r.reason, r.decided_at, r.raised_reason, r.change,
       r.base_survey_year, r.evidence ->> 'criteria' AS criteria, r.evidence ->> 'digest' AS criteria_digest,
       r.evidence ->> 'outcome' AS computed, r.evidence -> 'fired' AS rules_met, r.listed_since,
       paper.title AS paper_title, paper.number AS paper_number, paper.dated AS paper_dated,
       CASE WHEN r.parcel_id IS NULL THEN 'building' ELSE 'parcel' END AS land_kind,
       coalesce(p.code, b.code) AS land_code, coalesce(p.address, b.name) AS land_place,
       p.registered_use, p.use_scheme, p.right_holder, r.street_id AS street,
       round(ST_Area(coalesce(p.geom, b.geom)::geography)::numeric, 2)::text AS area_m2,
       encode(ST_AsEWKB(coalesce(p.geom, b.geom), 'NDR'), 'hex') AS geometry,
       f.version AS form_version,
       encode(sha256(convert_to(concat_ws(E'\n', f.land, f.construction, f.economy), 'UTF8')), 'hex') AS form_digest
FROM units_determination d
CROSS JOIN LATERAL (
    SELECT e.* FROM units_determinationevent e
    WHERE e.pgh_obj_id = d.id AND e.pgh_id <= %(determination)s
    ORDER BY e.pgh_id DESC LIMIT 1) r
LEFT JOIN LATERAL (
    SELECT e.* FROM units_parcelevent e
    WHERE e.pgh_obj_id = r.parcel_id AND e.pgh_id <= %(parcel)s
    ORDER BY e.pgh_id DESC LIMIT 1) p ON TRUE
LEFT JOIN LATERAL (
    SELECT e.* FROM units_buildingevent e
    WHERE e.pgh_obj_id = r.building_id AND e.pgh_id <= %(building)s
    ORDER BY e.pgh_id DESC LIMIT 1) b ON TRUE
LEFT JOIN LATERAL (
    SELECT e.* FROM units_factsheet s JOIN units_factsheetevent e ON e.pgh_obj_id = s.id
    WHERE s.determination_id = d.id
      AND e.pgh_id <= %(factsheet)s
    ORDER BY s.id DESC, e.pgh_id DESC LIMIT 1) f ON TRUE
LEFT JOIN units_document paper ON paper.id = r.document_id
WHERE d.district_id = %(district)s AND d.code = ANY (%(codes)s)
ORDER BY r.code COLLATE "C"
