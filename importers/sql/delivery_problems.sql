-- What was told of the rows of one delivery, also where a later delivery has told it again or resolved it since?
SELECT DISTINCT ON (identity) row_number, code, severity, subjects, sentence, fix, details, ST_X(geom), ST_Y(geom)
FROM (
    SELECT 0 AS moved_on, f.identity, f.row_number, f.code, f.severity, f.subjects, f.sentence, f.fix, f.details, f.geom
    FROM units_finding f
    WHERE f.delivery_id = %(delivery)s
    UNION ALL
    SELECT 1, (b.r).identity, (b.r).row_number, (b.r).code, (b.r).severity, (b.r).subjects, (b.r).sentence, (b.r).fix,
        (b.r).details, (b.r).geom
    FROM (
        SELECT row::units_finding AS r FROM importers_replaced
        WHERE "table" = 'units_finding' AND delivery_id = ANY (%(later)s)
    ) b
    WHERE (b.r).delivery_id = %(delivery)s
) told
ORDER BY identity, moved_on
