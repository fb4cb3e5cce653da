-- Which land classes of the survey lie under a parcel, and how much of it does each cover?
-- The parts in braces are what the reader may see of a collection; every value is a parameter.
WITH parcel AS (
    SELECT geom, ST_Area(geom) AS whole FROM {parcel} AS parcel WHERE fid = %(fid)s
),
piece AS (
    SELECT patch.dlbm, patch.dlmc, patch.tbmj, ST_Area(patch.geom) AS patch_whole, parcel.whole,
           ST_Area(CASE WHEN ST_CoveredBy(parcel.geom, patch.geom) THEN parcel.geom
                        ELSE ST_Intersection(parcel.geom, patch.geom) END) AS inside
    FROM parcel JOIN {patches} AS patch ON patch.geom && parcel.geom AND ST_Intersects(patch.geom, parcel.geom)
)
SELECT dlbm, max(dlmc) AS dlmc, count(*) AS patches, sum(inside / whole) AS share,
       sum(tbmj * (inside / patch_whole)::numeric) AS surveyed_m2
FROM piece
WHERE inside / whole > 0.0005  -- thinner than that is the width of a drawn line
GROUP BY dlbm
ORDER BY share DESC
