-- Which parcels are judged, in the district's Gauss–Krüger zone?
WITH moved AS MATERIALIZED (
    SELECT p.id AS subject, p.district_id, p.street_id, p.registered_use, p.use_scheme, p.documented_m2,
           p.registered_far, p.registered_coverage, p.area_m2, p.geom AS stored,
           ST_Transform(p.geom, %(srid)s) AS geom
    FROM units_parcel p
    WHERE p.survey_id = %(survey)s AND (%(parcel)s::bigint IS NULL OR p.id = %(parcel)s::bigint)
)
SELECT moved.*, ST_Area(geom) AS area FROM moved
