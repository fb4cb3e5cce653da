-- How far is each parcel from the next metro station, school, hazard and polluting works, up to two kilometres?
-- Farther ones are not looked for: the distance is then told as 2,000 metres. Nought is on or beside the parcel.
WITH wide AS (
    SELECT subject, min(distance) FILTER (WHERE kind = 'metro_station') AS metro,
           min(distance) FILTER (WHERE kind = 'school') AS school,
           min(distance) FILTER (WHERE kind = 'hazard') AS hazard,
           min(distance) FILTER (WHERE kind = 'polluter') AS polluter
    FROM near
    GROUP BY subject
), told AS (
    -- no polygon of a layer that was delivered: it is farther than any
    SELECT CASE WHEN NOT 'metro_station' = ANY(%(control_kinds)s::text[]) THEN 'control.metro_station' END AS metro_gap,
           CASE WHEN NOT 'school' = ANY(%(control_kinds)s::text[]) THEN 'control.school' END AS school_gap,
           CASE WHEN NOT 'hazard' = ANY(%(control_kinds)s::text[]) THEN 'control.hazard' END AS hazard_gap,
           CASE WHEN NOT 'polluter' = ANY(%(control_kinds)s::text[]) THEN 'control.polluter' END AS polluter_gap
)
SELECT p.subject,
       CASE WHEN metro_gap IS NULL THEN LEAST(2000, w.metro) END AS metro_distance,
       CASE WHEN school_gap IS NULL THEN LEAST(2000, w.school) END AS school_distance,
       CASE WHEN hazard_gap IS NULL THEN LEAST(2000, w.hazard) END AS hazard_distance,
       CASE WHEN polluter_gap IS NULL THEN LEAST(2000, w.polluter) END AS polluter_distance,
       jsonb_strip_nulls(jsonb_build_object(
           'metro_distance', metro_gap,
           'school_distance', school_gap,
           'hazard_distance', hazard_gap,
           'polluter_distance', polluter_gap
       )) AS gaps
FROM parcel p
CROSS JOIN told
LEFT JOIN wide w ON w.subject = p.subject
