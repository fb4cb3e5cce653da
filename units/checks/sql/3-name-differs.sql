-- Which patches carry a name of the land class that is not the name of their code?
SELECT 'patches', 'dltb', NULL, 'DLMC', p.bsm, p.dlmc, class.name, p.street_id, ST_AsBinary(ST_PointOnSurface(p.geom))
FROM units_landusepatch p
JOIN unnest(%(classes)s::text[], %(names)s::text[]) AS class (code, name) ON class.code = p.dlbm
WHERE p.survey_id = %(survey)s AND p.scheme = 'sandiao' AND p.dlmc <> '' AND p.dlmc <> class.name
ORDER BY p.bsm COLLATE "C"
