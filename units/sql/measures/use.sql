-- How is each parcel and office building used today, since when is it idle, who is in charge, and what was done?
-- What became idle after the survey's day was not idle on it.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), told AS (
    SELECT s.subject, u.id, u.state, u.idle_since, u.measures, d.code AS department
    FROM units_usestate u
    JOIN subject s ON s.subject = COALESCE(-u.building_id, u.parcel_id)
    LEFT JOIN units_department d ON d.id = u.owner_department_id
    WHERE u.survey_id = %(survey)s
), known AS (
    SELECT s.subject, t.id, NULLIF(t.state, '') AS state, t.idle_since, t.department,
           CASE WHEN jsonb_typeof(t.measures) = 'array' THEN jsonb_array_length(t.measures) END AS measures
    FROM subject s
    LEFT JOIN told t ON t.subject = s.subject
), counted AS (
    SELECT known.*,
           CASE WHEN state IN ('in_use', 'partly') OR idle_since > day.day THEN 0
                ELSE m.months + (day.day - (idle_since + make_interval(months => m.months))::date)::numeric
                    / ((idle_since + make_interval(months => m.months + 1))::date
                       - (idle_since + make_interval(months => m.months))::date) END AS months
    FROM known
    CROSS JOIN day
    CROSS JOIN LATERAL (
        SELECT (12 * extract(year FROM a.age) + extract(month FROM a.age))::integer AS months
        FROM (SELECT age(day.day, idle_since) AS age) AS a
    ) AS m
)
SELECT subject, state AS use_state,
       CASE WHEN state IS NOT NULL THEN months END AS reported_idle_months,
       department AS owner_department, measures AS measures_taken,
       jsonb_strip_nulls(jsonb_build_object(
           'use_state', CASE WHEN state IS NULL THEN 'use_state' END,
           'reported_idle_months', CASE WHEN state IS NULL THEN 'use_state' WHEN months IS NULL THEN 'use_state.since' END,
           'owner_department', CASE WHEN department IS NULL THEN 'use_state.department' END,
           'measures_taken', CASE WHEN measures IS NULL THEN 'use_state.measures' END
       )) AS gaps
FROM counted
