-- Which buildings stand on or are the records, and which share of each footprint lies there?
SELECT r.subject, b.id AS building, count(*) OVER (PARTITION BY b.id) AS times,
       COALESCE(NULLIF(b.floor_area_m2, 0)::float8, b.area_m2 * b.floors::float8) AS floor_area,
       CASE WHEN b.id = r.building_id OR ST_Covers(r.geom, b.geom) THEN 1
            ELSE ST_Area(ST_CollectionExtract(ST_Intersection(r.geom, b.geom), 3)::geography) / b.area_m2 END AS share
FROM pg_temp.record r
JOIN units_building b ON b.survey_id = r.survey_id AND b.geom && r.geom AND NOT b.temporary
     AND b.floors IS DISTINCT FROM 0 AND (b.id = r.building_id OR ST_Intersects(r.geom, b.geom))
