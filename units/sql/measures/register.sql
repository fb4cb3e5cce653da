-- What do the papers of each parcel say of it, and how large is each subject?
SELECT subject, area_m2, documented_m2,
       (area_m2 - documented_m2::float8) / NULLIF(documented_m2::float8, 0) AS area_difference,
       NULLIF(registered_use, '') AS registered_use,
       CASE WHEN registered_use <> '' AND use_scheme <> 'unknown' THEN use_scheme END AS use_scheme,
       registered_far, registered_coverage,
       CASE WHEN owner_wish IN ('yes', 'conditional', 'no') THEN owner_wish END AS owner_wish,
       NULL::text AS building_category,
       jsonb_strip_nulls(jsonb_build_object(
           'documented_m2', CASE WHEN documented_m2 IS NULL THEN 'parcel.documented_m2' END,
           'area_difference', CASE WHEN COALESCE(documented_m2, 0) = 0 THEN 'parcel.documented_m2' END,
           'registered_use', CASE WHEN COALESCE(registered_use, '') = '' THEN 'parcel.registered_use' END,
           'use_scheme', CASE WHEN COALESCE(registered_use, '') = '' OR use_scheme = 'unknown'
                              THEN 'parcel.registered_use' END,
           'registered_far', CASE WHEN registered_far IS NULL THEN 'parcel.registered_far' END,
           'registered_coverage', CASE WHEN registered_coverage IS NULL THEN 'parcel.registered_coverage' END,
           'owner_wish', CASE WHEN owner_wish IS NULL OR owner_wish NOT IN ('yes', 'conditional', 'no')
                              THEN 'parcel.owner_wish' END
       )) AS gaps
FROM parcel
UNION ALL
SELECT s.subject, b.area_m2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'office', '{}'
FROM subject s
JOIN footprint b ON b.id = s.building_id
