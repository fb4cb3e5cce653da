-- Which part of which building stands on which parcel?
-- A mis-drawn wall that crosses the border is no building of this parcel: it does not count, its facts are not asked.
SELECT w.subject, w.id, b.floor_area, b.estimated, b.vacant, b.vacant_since, b.built_year, b.safety_grade,
       w.whole AS inside, COALESCE(w.geom, b.geom) AS geom,
       CASE WHEN w.whole THEN 1 ELSE w.area / b.area END AS share, w.area,
       w.area > %(overlap_area)s
           AND 2 * w.area / NULLIF(ST_Perimeter(COALESCE(w.geom, b.geom)), 0) > %(overlap_width)s AS counts
FROM wall w
JOIN footprint b ON b.id = w.id
