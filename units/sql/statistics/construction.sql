-- How much construction land does the survey have, counted once where its patches lie over one another?
WITH patch AS MATERIALIZED (
    SELECT p.id, p.geom, p.area_m2
    FROM units_landusepatch p
    WHERE p.survey_id = %(survey)s AND p.dlbm = ANY(%(classes)s::text[])
), tied AS (
    SELECT t.id, t.geom, ST_ClusterDBSCAN(t.geom, 0, 1) OVER () AS bunch
    FROM (
        SELECT p.id, p.geom
        FROM patch p
        WHERE EXISTS (
            SELECT FROM units_landusepatch o
            WHERE o.survey_id = %(survey)s AND o.dlbm = ANY(%(classes)s::text[]) AND o.id <> p.id AND o.geom && p.geom
              AND ST_Relate(o.geom, p.geom, '2********')
        )
    ) AS t
)
SELECT (SELECT count(*) FROM patch) AS patches,
       (SELECT COALESCE(sum(p.area_m2), 0) FROM patch p WHERE p.id NOT IN (SELECT t.id FROM tied t))
       + (SELECT COALESCE(sum(one.area_m2), 0)
          FROM (SELECT ST_Area(ST_Union(t.geom)::geography) AS area_m2 FROM tied t GROUP BY t.bunch) AS one) AS area_m2
