-- What do the papers of each parcel say of it, and how large is each subject?
-- A wish told after the survey's day was told on it, as far as its age goes.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), wished AS (
    -- what is no day of the calendar is not known
    SELECT w.subject, w.paper, w.mode, w.land_owner, w.right_nature,
           (w.part[1] || w.part[2] || '01')::date + (w.part[3]::integer - 1) AS told_on, w.part[2]::integer AS month
    FROM (
        -- each step is kept apart: what is said of it more than once would be worked out as often
        SELECT u.id AS subject, btrim(COALESCE(u.owner_wish ->> 'paper', '')) AS paper,
               NULLIF(btrim(COALESCE(u.owner_wish ->> 'mode', '')), '') AS mode,
               CASE substr(u.code, 13, 1) WHEN 'G' THEN 'state' WHEN 'J' THEN 'collective' END AS land_owner,
               NULLIF(u.right_nature, '') AS right_nature,
               regexp_match(u.owner_wish ->> 'date',
                            '^\s*(\d{4})[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])(?:\D|$)') AS part
        FROM parcel p
        JOIN units_parcel u ON u.id = p.subject
        OFFSET 0
    ) AS w
), dated AS MATERIALIZED (
    SELECT wished.*, day.day, CASE WHEN extract(month FROM told_on) = month THEN LEAST(told_on, day.day) END AS wished_on
    FROM wished
    CROSS JOIN day
), aged AS MATERIALIZED (
    SELECT dated.*,
           y.years + (dated.day - (wished_on + make_interval(years => y.years))::date)::numeric
               / ((wished_on + make_interval(years => y.years + 1))::date
                  - (wished_on + make_interval(years => y.years))::date) AS years
    FROM dated
    CROSS JOIN LATERAL (SELECT extract(year FROM age(dated.day, wished_on))::integer AS years) AS y
)
SELECT p.subject, p.area_m2, p.documented_m2,
       (p.area_m2 - p.documented_m2::float8) / NULLIF(p.documented_m2::float8, 0) AS area_difference,
       NULLIF(p.registered_use, '') AS registered_use,
       CASE WHEN p.registered_use <> '' AND p.use_scheme <> 'unknown' THEN p.use_scheme END AS use_scheme,
       p.registered_far, p.registered_coverage,
       CASE WHEN p.owner_wish IN ('yes', 'conditional', 'no') THEN p.owner_wish END AS owner_wish,
       CASE WHEN p.owner_wish IN ('yes', 'conditional') THEN a.mode WHEN p.owner_wish = 'no' THEN COALESCE(a.mode, 'none') END
           AS owner_wish_mode,
       CASE WHEN p.owner_wish IN ('yes', 'conditional', 'no') THEN a.years END AS owner_wish_years,
       CASE WHEN p.owner_wish IN ('yes', 'conditional', 'no') THEN a.paper <> '' END AS owner_wish_paper,
       a.land_owner, a.right_nature,
       NULL::text AS building_category,
       jsonb_strip_nulls(jsonb_build_object(
           'documented_m2', CASE WHEN p.documented_m2 IS NULL THEN 'parcel.documented_m2' END,
           'area_difference', CASE WHEN COALESCE(p.documented_m2, 0) = 0 THEN 'parcel.documented_m2' END,
           'registered_use', CASE WHEN COALESCE(p.registered_use, '') = '' THEN 'parcel.registered_use' END,
           'use_scheme', CASE WHEN COALESCE(p.registered_use, '') = '' OR p.use_scheme = 'unknown'
                              THEN 'parcel.registered_use' END,
           'registered_far', CASE WHEN p.registered_far IS NULL THEN 'parcel.registered_far' END,
           'registered_coverage', CASE WHEN p.registered_coverage IS NULL THEN 'parcel.registered_coverage' END,
           'land_owner', CASE WHEN a.land_owner IS NULL THEN 'parcel.land_owner' END,
           'right_nature', CASE WHEN a.right_nature IS NULL THEN 'parcel.right_nature' END
       ) || CASE WHEN p.owner_wish IN ('yes', 'conditional', 'no')
                 THEN jsonb_build_object('owner_wish_mode', CASE WHEN a.mode IS NULL AND p.owner_wish <> 'no'
                                                                 THEN 'parcel.wish_mode' END,
                                         'owner_wish_years', CASE WHEN a.years IS NULL THEN 'parcel.wish_date' END)
                 ELSE jsonb_build_object('owner_wish', 'parcel.owner_wish', 'owner_wish_mode', 'parcel.owner_wish',
                                         'owner_wish_years', 'parcel.owner_wish',
                                         'owner_wish_paper', 'parcel.owner_wish') END) AS gaps
FROM parcel p
JOIN aged a ON a.subject = p.subject
UNION ALL
SELECT s.subject, b.area_m2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'office', '{}'
FROM subject s
JOIN footprint b ON b.id = s.building_id
