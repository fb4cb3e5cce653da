-- Where are the metro stations, schools, hazards and polluting works that parcels may be near, in the district's zone?
SELECT c.kind, ST_Transform(CASE WHEN ST_IsValid(c.geom) THEN c.geom
                                 ELSE ST_CollectionExtract(ST_MakeValid(c.geom), 3) END, %(srid)s) AS geom
FROM units_controlarea c
WHERE c.district_id = %(district)s AND c.in_force AND c.kind IN ('metro_station', 'school', 'hazard', 'polluter')
  AND c.kind = ANY(%(control_kinds)s::text[])
