-- Which land-use patches does the survey in force hold?
SELECT p.id AS fid, p.geom, p.district_id, p.street_id, p.bsm, p.tbbh, p.dlbm, p.dlmc, p.scheme, p.qsxz, p.zldwdm,
       p.zldwmc, p.tbmj, p.area_m2, s.year AS base_survey
FROM units_landusepatch p
JOIN units_survey s ON s.id = p.survey_id AND s.state = 'in_force'
