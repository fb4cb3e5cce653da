-- Since when has half of each parcel's or building's floor area stood empty, and on how many floors is something empty?
-- Without a break: the vacant area is added up in the order in which it became so.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), part AS (
    SELECT st.subject, st.vacant_since, st.vacant * st.share AS empty, st.floor_area * st.share AS whole
    FROM standing st
    JOIN building b ON b.subject = st.subject AND b.vacancy >= 0.5
    WHERE st.counts
), half AS (
    SELECT subject, min(vacant_since) AS since
    FROM (
        SELECT t.subject, t.vacant_since,
               round((sum(t.empty) OVER (PARTITION BY t.subject ORDER BY t.vacant_since) / w.whole)::numeric, 4) AS share
        FROM part t
        CROSS JOIN day
        JOIN (SELECT subject, sum(whole) AS whole FROM part GROUP BY subject) AS w ON w.subject = t.subject
        WHERE t.empty > 0 AND t.vacant_since <= day.day AND w.whole > 0
    ) AS grown
    WHERE share >= 0.5
    GROUP BY subject
    UNION ALL
    SELECT s.subject, f.vacant_since
    FROM subject s
    JOIN footprint f ON f.id = s.building_id
    JOIN building b ON b.subject = s.subject AND b.vacancy >= 0.5
    WHERE f.vacant_since IS NOT NULL
), floors AS (
    -- "15-20" is six floors, "14" is one
    SELECT s.subject, b.vacant_m2,
           CASE WHEN b.vacant_by_floor <> '{}' THEN f.floors END AS floors
    FROM subject s
    JOIN units_building b ON b.id = s.building_id
    CROSS JOIN LATERAL (
        SELECT sum(CASE WHEN e.key ~ '^\d+-\d+$'
                        THEN split_part(e.key, '-', 2)::integer - split_part(e.key, '-', 1)::integer + 1 ELSE 1 END) AS floors
        FROM jsonb_each_text(b.vacant_by_floor) AS e
        WHERE CASE WHEN e.value ~ '^\d+(\.\d+)?$' THEN e.value::numeric > 0 END
    ) AS f
), known AS (
    SELECT b.subject, b.vacancy, h.since, l.subject IS NOT NULL AS alone,
           CASE WHEN l.floors IS NOT NULL THEN l.floors WHEN l.vacant_m2 = 0 THEN 0 END AS floors,
           COALESCE(b.gaps ->> 'vacancy',
                    CASE WHEN b.vacancy >= 0.5 THEN b.gaps ->> 'vacant_months' END) AS half_gap
    FROM building b
    LEFT JOIN half h ON h.subject = b.subject
    LEFT JOIN floors l ON l.subject = b.subject
), counted AS (
    SELECT known.*,
           CASE WHEN since IS NULL THEN 0
                ELSE m.months + (day.day - (since + make_interval(months => m.months))::date)::numeric
                    / ((since + make_interval(months => m.months + 1))::date
                       - (since + make_interval(months => m.months))::date) END AS months
    FROM known
    CROSS JOIN day
    CROSS JOIN LATERAL (
        SELECT (12 * extract(year FROM a.age) + extract(month FROM a.age))::integer AS months
        FROM (SELECT age(day.day, since) AS age) AS a
    ) AS m
)
SELECT subject,
       CASE WHEN half_gap IS NULL AND vacancy IS NOT NULL THEN months END AS half_empty_months,
       floors AS vacant_floors,
       jsonb_strip_nulls(jsonb_build_object(
           'half_empty_months', half_gap,
           'vacant_floors', CASE WHEN alone AND floors IS NULL THEN 'building.vacant_by_floor' END
       )) AS gaps
FROM counted
