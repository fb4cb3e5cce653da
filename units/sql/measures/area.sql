-- Which control areas in force lie around the parcels that are judged?
-- Large areas are cut up, so that a parcel is compared with what is around it.
WITH area AS (
    SELECT c.kind, c.use, c.use_scheme, ST_Transform(c.geom, %(srid)s) AS geom
    FROM units_controlarea c
    WHERE c.district_id = %(district)s AND c.in_force AND c.kind = ANY(%(measured_kinds)s::text[])
      AND CASE WHEN %(areas)s::bigint[] IS NULL
               THEN c.geom && (SELECT ST_SetSRID(ST_Extent(p.stored)::geometry, %(storage_srid)s) FROM parcel p)
               ELSE c.id = ANY(%(areas)s::bigint[]) END
)
SELECT kind, use, use_scheme,
       ST_Subdivide(CASE WHEN ST_IsValid(geom) THEN geom ELSE ST_CollectionExtract(ST_MakeValid(geom), 3) END, 200)
           AS geom
FROM area
