-- Which land-use patches did the survey that was in force hold at that moment?
-- Patches have no versions: those of a survey that was put in force are never changed and never deleted.
SELECT p.id AS fid, p.geom, p.district_id, p.street_id, p.bsm, p.tbbh, p.dlbm, p.dlmc, p.scheme, p.qsxz, p.zldwdm,
       p.zldwmc, p.tbmj, p.area_m2,
       (SELECT y.year FROM units_survey y WHERE y.id = p.survey_id) AS base_survey
FROM units_landusepatch p
WHERE p.survey_id = ANY (ARRAY(
    SELECT s.pgh_obj_id FROM units_surveyevent s
    WHERE s.pgh_created_at < %(as_of)s AND s.state = 'in_force' AND s.pgh_label <> 'delete'
      AND NOT EXISTS (SELECT FROM units_surveyevent o WHERE o.pgh_obj_id = s.pgh_obj_id AND o.pgh_id > s.pgh_id
                      AND o.pgh_created_at < %(as_of)s)))
