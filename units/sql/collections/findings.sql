-- Which findings are open, and where?
SELECT f.id AS fid, f.geom, f.district_id, f.street_id, f.identity, f.code, f.severity, f.state, f.subjects,
       f.sentence, f.fix, f.measure, f.uom
FROM units_finding f
WHERE f.state <> 'resolved'
