-- Which patch numbers are given more than once in one place (ZLDWDM), and to which patches?
SELECT twice.zldwdm, twice.tbbh, array_agg(p.bsm ORDER BY p.bsm COLLATE "C"), min(p.street_id),
       ST_AsBinary(ST_Collect(ST_PointOnSurface(p.geom) ORDER BY p.bsm COLLATE "C"))
FROM (
    SELECT zldwdm, tbbh
    FROM units_landusepatch
    WHERE survey_id = %(survey)s AND zldwdm <> '' AND tbbh <> ''
    GROUP BY zldwdm, tbbh
    HAVING count(*) > 1
) twice
JOIN units_landusepatch p ON p.survey_id = %(survey)s AND p.zldwdm = twice.zldwdm AND p.tbbh = twice.tbbh
GROUP BY twice.zldwdm, twice.tbbh
ORDER BY twice.zldwdm, twice.tbbh
