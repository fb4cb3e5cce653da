-- Which parcels of a district are these, by their codes or by a box, and what did the latest run of the criteria say?
-- The parts in braces are what the reader may see of the parcels, and the condition.
SELECT p.code, p.address, p.area_m2, flag.outcome, flag.category
FROM {parcels} AS p
LEFT JOIN LATERAL (
    SELECT f.outcome, f.category FROM units_flag f
    WHERE f.parcel_id = p.fid AND f.building_id IS NULL
    ORDER BY (SELECT max(r.id) FROM units_flagrun r JOIN units_criteriaedition e ON e.digest = r.edition_id
              WHERE r.district_id = f.district_id AND e.name = f.criteria) DESC
    LIMIT 1
) AS flag ON TRUE
WHERE p.district_id = %(district)s AND {wanted}
ORDER BY p.code
LIMIT %(limit)s
