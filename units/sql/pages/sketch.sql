-- Which outlines does a small map of one parcel or building show?
-- The parts in braces are what the reader may see of a collection; every value is a parameter.
WITH own AS (
    SELECT geom FROM {parcels} AS parcel WHERE %(kind)s = 'parcel' AND fid = %(fid)s
    UNION ALL
    SELECT geom FROM {buildings} AS building WHERE %(kind)s = 'building' AND fid = %(fid)s
), near AS (
    SELECT ST_Expand(
        Box2D(geom)::geometry,
        %(margin)s * 2 * GREATEST(ST_XMax(geom) - ST_XMin(geom), ST_YMax(geom) - ST_YMin(geom))
    ) AS box
    FROM own
), shown AS (
    SELECT 'own' AS part, geom FROM own
    UNION ALL
    (SELECT 'parcel', parcel.geom
     FROM near JOIN {parcels} AS parcel ON parcel.geom && ST_SetSRID(near.box, ST_SRID(parcel.geom))
     WHERE NOT (%(kind)s = 'parcel' AND parcel.fid = %(fid)s) ORDER BY parcel.fid LIMIT 60)
    UNION ALL
    (SELECT 'building', building.geom
     FROM near JOIN {buildings} AS building ON building.geom && ST_SetSRID(near.box, ST_SRID(building.geom))
     WHERE NOT (%(kind)s = 'building' AND building.fid = %(fid)s) ORDER BY building.fid LIMIT 120)
)
SELECT part, ST_AsGeoJSON(geom, 7) AS shape FROM shown
