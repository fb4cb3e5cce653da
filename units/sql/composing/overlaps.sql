-- Which other units, legacy land and control areas, those of the detailed plans among them, lie in the boxes of a shape?
-- The conditions in braces say which rows the reader may see; of the others only the fact is told.
WITH box AS MATERIALIZED (
    SELECT (ST_Dump(ST_SetSRID(ST_GeomFromWKB(%(boxes)s), 4490))).geom
)
SELECT DISTINCT ON (u.id) 'units' AS layer, u.state::text AS kind, u.code, u.name, u.area_m2, {units} AS seen,
       NULL::text AS edition, NULL::text AS use, NULL::text AS use_scheme, NULL::text AS use_name, NULL::text AS far,
       NULL::text AS control_type, ST_AsBinary(u.geom) AS wkb
FROM box JOIN units_redevelopmentunit u ON u.geom && box.geom
WHERE u.state NOT IN ('amended', 'deleted') AND NOT (u.district_id = %(district)s AND u.code = %(unit)s AND {units})
UNION ALL
SELECT DISTINCT ON (l.id) 'legacy', l.state::text, l.code, l.address, l.area_m2, {legacy},
       NULL, NULL, NULL, NULL, NULL, NULL, ST_AsBinary(l.geom)
FROM box JOIN units_legacyland l ON l.geom && box.geom
UNION ALL
SELECT DISTINCT ON (c.id) 'control-areas', c.kind::text, c.code, c.name, c.area_m2, {control_areas},
       c.edition, c.use, c.use_scheme, c.extra ->> 'YTMC', c.extra ->> 'RJLSX', c.extra ->> 'KZLX', ST_AsBinary(c.geom)
FROM box JOIN units_controlarea c ON c.geom && box.geom
WHERE c.in_force AND c.kind = ANY (%(kinds)s)
