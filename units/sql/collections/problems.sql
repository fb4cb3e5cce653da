-- Which problems were reported, and over which parcels, units and legacy land do they hang?
SELECT p.id AS fid,
       (SELECT ST_Multi(ST_CollectionExtract(ST_Union(g.geom), 3))
        FROM (SELECT x.geom FROM units_problem_parcels m JOIN units_parcel x ON x.id = m.parcel_id
              WHERE m.problem_id = p.id
              UNION ALL
              SELECT x.geom FROM units_problem_units m JOIN units_redevelopmentunit x ON x.id = m.redevelopmentunit_id
              WHERE m.problem_id = p.id
              UNION ALL
              SELECT x.geom FROM units_problem_legacy_lands m JOIN units_legacyland x ON x.id = m.legacyland_id
              WHERE m.problem_id = p.id) g) AS geom,
       p.district_id, p.street_id, p.number, p.kind, p.place, p.description, p.state, p.level, p.due_on
FROM units_problem p
