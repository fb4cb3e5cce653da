-- Which features are on one side only, and which of those on both have another shape or other words?
-- The parts in braces are our own text; every value is a parameter. Shapes are compared byte by byte; only of what
-- differs the area is measured, which costs more than all the rest.
SELECT d.*, CASE WHEN d.kind <> 'same' THEN ST_Area(d.geom_before::geography) END AS area_before,
       CASE WHEN d.kind <> 'same' THEN ST_Area(d.geom_after::geography) END AS area_after
FROM (
    SELECT COALESCE(a.key, b.key) AS key, b.fid AS fid_before, a.fid AS fid_after, b.geom AS geom_before,
           a.geom AS geom_after,
           CASE WHEN b.key IS NULL THEN 'added' WHEN a.key IS NULL THEN 'removed'
                WHEN b.geom::bytea IS DISTINCT FROM a.geom::bytea THEN 'moved'
                WHEN ({words_before}) IS DISTINCT FROM ({words_after}) THEN 'reworded' ELSE 'same' END AS kind,
           ARRAY(SELECT w.name FROM (VALUES {pairs}) AS w (name, changed)
                 WHERE w.changed AND a.key IS NOT NULL AND b.key IS NOT NULL) AS words
    FROM ({before}) b FULL JOIN ({after}) a ON a.key = b.key
) d
