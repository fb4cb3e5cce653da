-- Which buildings stand on a parcel, by the greater part of their footprint?
-- The parts in braces are what the reader may see of a collection; every value is a parameter.
WITH parcel AS (
    SELECT geom FROM {parcel} AS parcel WHERE fid = %(fid)s
)
SELECT building.fid, building.code, building.name, building.use, building.floors, building.floor_area_m2,
       building.built_year, building.safety_grade, building.area_m2,
       (SELECT b.vacant_m2 FROM units_building b WHERE b.id = building.fid) AS vacant_m2,
       count(*) OVER () AS all_of_them
FROM parcel JOIN {buildings} AS building ON building.geom && parcel.geom AND ST_Intersects(building.geom, parcel.geom)
WHERE ST_Area(ST_Intersection(building.geom, parcel.geom)) > ST_Area(building.geom) / 2
ORDER BY building.area_m2 DESC
LIMIT %(limit)s
