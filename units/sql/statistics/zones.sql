-- Into which streets, blocks, units, industrial areas and hexagons may the land fall?
-- Hexagons are 500 m from side to side, laid in the district's Gauss–Krüger zone from its origin, so that they stay.
SELECT 'street' AS kind, s.code, s.name, s.geom
FROM units_street s
WHERE s.district_id = %(district)s AND s.geom IS NOT NULL
UNION ALL
SELECT CASE c.kind WHEN 'block_plan' THEN 'block' ELSE 'industrial' END,
       c.id::text, concat_ws(' ', COALESCE(NULLIF(c.code, ''), c.extra ->> 'BSM', c.id::text), NULLIF(c.name, '')), c.geom
FROM units_controlarea c
WHERE c.district_id = %(district)s AND c.in_force AND c.kind IN ('block_plan', 'industrial_line')
UNION ALL
SELECT 'unit', u.code, u.name, u.geom
FROM units_redevelopmentunit u
WHERE u.district_id = %(district)s AND u.state NOT IN ('amended', 'deleted')
UNION ALL
SELECT 'hex', hex.i || '/' || hex.j, '', ST_Multi(ST_Transform(hex.geom, %(storage_srid)s))
FROM (SELECT ST_Transform(ST_SetSRID(ST_Extent(r.geom)::geometry, %(storage_srid)s), %(srid)s) AS geom
      FROM pg_temp.record r) AS box
CROSS JOIN LATERAL ST_HexagonGrid(%(hex_edge)s, box.geom) AS hex
WHERE box.geom IS NOT NULL
