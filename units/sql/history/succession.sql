-- Whose ground did the parcels of the next round take over, where a code went, came or lost ground to another?
-- A code that went: all that lies on its ground now. A code that stayed: what came on its ground under another code.
-- Shares are planar: they are ratios of neighbours. Twins (the same shape, byte for byte) are not cut.
WITH went AS (
    SELECT p.code, p.geom FROM units_parcel p
    WHERE p.survey_id = %(before)s
      AND NOT EXISTS (SELECT FROM units_parcel n WHERE n.survey_id = %(after)s AND n.code = p.code)
), came AS (
    SELECT p.code, p.geom FROM units_parcel p
    WHERE p.survey_id = %(after)s
      AND NOT EXISTS (SELECT FROM units_parcel o WHERE o.survey_id = %(before)s AND o.code = p.code)
), pairs AS (
    SELECT w.code AS from_code, n.code AS to_code, w.geom AS ground, n.geom AS now
    FROM went w JOIN units_parcel n ON n.survey_id = %(after)s AND n.geom && w.geom
    UNION
    SELECT p.code, c.code, p.geom, c.geom
    FROM came c JOIN units_parcel p ON p.survey_id = %(before)s AND p.geom && c.geom
), measured AS (
    SELECT from_code, to_code,
           CASE WHEN ground::bytea = now::bytea THEN ST_Area(ground)
                WHEN ST_Intersects(ground, now) THEN ST_Area(ST_Intersection(ground, now)) ELSE 0 END AS common,
           ST_Area(ground) AS area, ST_Area(now) AS now_area
    FROM pairs
), taken AS (
    SELECT from_code, to_code, common, area, now_area
    FROM measured WHERE common >= %(meant)s * LEAST(area, now_area)
), goes_on AS ( -- a code that stayed and lost ground to another, or won ground of one: what it kept itself
    SELECT p.code AS from_code, p.code AS to_code,
           ST_Area(ST_Intersection(p.geom, n.geom)) AS common, ST_Area(p.geom) AS area, ST_Area(n.geom) AS now_area
    FROM units_parcel p JOIN units_parcel n ON n.survey_id = %(after)s AND n.code = p.code
    WHERE p.survey_id = %(before)s AND p.code IN (SELECT from_code FROM taken UNION SELECT to_code FROM taken)
)
SELECT from_code, to_code, LEAST(1, round((common / area)::numeric, 6)) AS share
FROM (SELECT * FROM taken UNION ALL SELECT * FROM goes_on WHERE common > 0) found
ORDER BY from_code, share DESC, to_code
