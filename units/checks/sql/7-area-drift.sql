-- Which patches carry a measured area that is not what their shape measures on the ellipsoid?
SELECT p.bsm, p.area_m2, measured.area_m2, p.street_id, ST_AsBinary(ST_PointOnSurface(p.geom)),
       md5(ST_AsBinary(p.geom))
FROM units_landusepatch p
CROSS JOIN LATERAL (SELECT ST_Area(p.geom::geography) AS area_m2) measured
WHERE p.survey_id = %(survey)s AND abs(p.area_m2 - measured.area_m2) > %(area_drift)s
ORDER BY p.bsm COLLATE "C"
