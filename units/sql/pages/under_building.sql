-- On which parcels does a building stand, with which share of its footprint?
-- The parts in braces are what the reader may see of a collection; every value is a parameter.
WITH building AS (
    SELECT geom, ST_Area(geom) AS whole FROM {building} AS building WHERE fid = %(fid)s
),
piece AS (
    SELECT parcel.fid, parcel.code, parcel.address, ST_Area(ST_Intersection(parcel.geom, building.geom)) / building.whole AS share
    FROM building JOIN {parcels} AS parcel ON parcel.geom && building.geom AND ST_Intersects(parcel.geom, building.geom)
)
SELECT fid, code, address, share FROM piece
WHERE share > 0.0005  -- thinner than that is the width of a drawn line
ORDER BY share DESC, code
