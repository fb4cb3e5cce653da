-- Which area fields differ from the measured area by more than is told at import (S02)?
SELECT found.layer, found.profile, NULL, found.field, found.code, found.declared, found.measured, found.street_id,
       ST_AsBinary(ST_PointOnSurface(found.geom)), md5(ST_AsBinary(found.geom))
FROM (
    SELECT 'patches' AS layer, 'dltb' AS profile, 'TBMJ' AS field, p.bsm AS code, p.tbmj::float8 AS declared,
           p.area_m2 AS measured, p.street_id, p.geom
    FROM units_landusepatch p
    WHERE p.survey_id = %(survey)s
    UNION ALL
    SELECT 'parcels', 'zd', 'ZDMJ', p.code, p.documented_m2::float8, p.area_m2, p.street_id, p.geom
    FROM units_parcel p
    WHERE p.survey_id = %(survey)s
) found
WHERE found.layer = %(layer)s
  AND abs(found.declared - found.measured) > greatest(%(area_differs)s, %(area_differs_share)s * found.measured)
ORDER BY found.code COLLATE "C"
