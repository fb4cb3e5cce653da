-- How much is built on each parcel and in each office building, how old and how safe is it, and how much stands empty?
-- No building on a parcel is FAR 0 only where a delivery of buildings is in force and reached the parcel: within the box
-- of what was delivered. Elsewhere nothing is known. What became empty after that day was not empty on it.
WITH reach AS (
    SELECT ST_MakeEnvelope(e.west, e.south, e.east, e.north, %(storage_srid)s) AS box
    FROM unnest(%(reach_west)s::float8[], %(reach_south)s::float8[], %(reach_east)s::float8[],
                %(reach_north)s::float8[]) AS e (west, south, east, north)
), day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), near AS (
    SELECT DISTINCT one.subject
    FROM standing one
    JOIN standing other ON other.subject = one.subject AND other.id > one.id AND other.geom && one.geom
                           AND ST_Intersects(other.geom, one.geom)
), crossing AS (
    -- footprints that lie over each other are counted once
    SELECT subject, sum(area) AS footprint FROM standing WHERE subject NOT IN (SELECT subject FROM near) GROUP BY subject
    UNION ALL
    SELECT subject, ST_Area(ST_Union(geom)) FROM standing WHERE subject IN (SELECT subject FROM near) GROUP BY subject
), whole AS (
    SELECT p.subject, p.area, p.area_m2, p.stored, FALSE AS alone,
           count(*) FILTER (WHERE st.counts) AS buildings,
           bool_or(st.floor_area IS NULL) FILTER (WHERE st.counts) AS floor_area_missing,
           bool_or(st.built_year IS NULL) FILTER (WHERE st.counts) AS built_year_missing,
           bool_or(st.vacant IS NULL) FILTER (WHERE st.counts) AS vacant_missing,
           bool_or(st.vacant > 0 AND st.vacant_since IS NULL) FILTER (WHERE st.counts) AS since_missing,
           bool_or(st.safety_grade = '') FILTER (WHERE st.counts) AS grade_missing,
           min(st.built_year) FILTER (WHERE st.counts) AS oldest,
           max(st.built_year) FILTER (WHERE st.counts) AS newest,
           count(*) FILTER (WHERE st.counts AND st.safety_grade IN ('C', 'D')) AS unsafe,
           COALESCE(sum(st.floor_area * st.share), 0) AS floor_area,
           COALESCE(sum(st.floor_area * st.share) FILTER (WHERE st.estimated), 0) AS estimated,
           COALESCE(sum(st.floor_area * st.share) FILTER (WHERE st.counts), 0) AS lettable,
           COALESCE(sum(CASE WHEN st.vacant_since > day.day THEN 0 ELSE st.vacant END * st.share)
                        FILTER (WHERE st.counts), 0) AS vacant,
           max(st.vacant_since) FILTER (WHERE st.counts AND st.vacant > 0 AND st.vacant_since <= day.day) AS vacant_since
    FROM parcel p
    CROSS JOIN day
    LEFT JOIN standing st ON st.subject = p.subject
    GROUP BY p.subject, p.area, p.area_m2, p.stored
    UNION ALL
    SELECT s.subject, b.area, b.area_m2, b.stored, TRUE, 1, b.floor_area IS NULL, b.built_year IS NULL, b.vacant IS NULL,
           b.vacant > 0 AND b.vacant_since IS NULL, b.safety_grade = '', b.built_year, b.built_year,
           (b.safety_grade IN ('C', 'D'))::integer, COALESCE(b.floor_area, 0), 0, COALESCE(b.floor_area, 0),
           CASE WHEN b.vacant_since > day.day THEN 0 ELSE COALESCE(b.vacant, 0) END,
           CASE WHEN b.vacant > 0 AND b.vacant_since <= day.day THEN b.vacant_since END
    FROM subject s
    JOIN footprint b ON b.id = s.building_id
    CROSS JOIN day
), held AS (
    SELECT whole.*,
           CASE WHEN NOT %(buildings_loaded)s THEN 'buildings'
                WHEN buildings = 0 AND NOT %(reach_everywhere)s
                     AND NOT EXISTS (SELECT FROM reach WHERE reach.box && whole.stored)
                    THEN 'buildings.cover' END AS layer_gap
    FROM whole
), known AS (
    SELECT held.*,
           COALESCE(layer_gap, CASE WHEN floor_area_missing THEN 'building.floor_area' END) AS far_gap,
           COALESCE(layer_gap, CASE WHEN built_year_missing OR buildings = 0 THEN 'building.built_year' END)
               AS year_gap,
           COALESCE(layer_gap, CASE WHEN grade_missing THEN 'building.safety_grade' END) AS grade_gap,
           COALESCE(layer_gap, CASE WHEN vacant_missing THEN 'building.vacant_m2' END,
                    CASE WHEN floor_area_missing THEN 'building.floor_area' END) AS vacancy_gap
    FROM held
), counted AS (
    SELECT known.*,
           COALESCE(vacancy_gap, CASE WHEN since_missing THEN 'building.vacant_since' END) AS since_gap,
           CASE WHEN vacancy_gap IS NULL
                THEN round(LEAST(1, COALESCE(vacant / NULLIF(lettable, 0), 0))::numeric, 4) END AS vacancy,
           -- whole months, and the days of the month that has begun
           CASE WHEN vacant_since IS NULL THEN 0
                ELSE m.months + (day.day - (vacant_since + make_interval(months => m.months))::date)::numeric
                    / ((vacant_since + make_interval(months => m.months + 1))::date
                       - (vacant_since + make_interval(months => m.months))::date) END AS months
    FROM known
    CROSS JOIN day
    CROSS JOIN LATERAL (
        SELECT (12 * extract(year FROM a.age) + extract(month FROM a.age))::integer AS months
        FROM (SELECT age(day.day, vacant_since) AS age) AS a
    ) AS m
)
SELECT c.subject,
       CASE WHEN far_gap IS NULL AND NOT alone THEN c.floor_area / area_m2 END AS far,
       CASE WHEN far_gap IS NULL AND NOT alone THEN COALESCE(estimated / NULLIF(c.floor_area, 0), 0) END
           AS far_estimated_share,
       CASE WHEN layer_gap IS NULL AND NOT alone THEN LEAST(1, COALESCE(x.footprint, 0) / area) END AS coverage,
       CASE WHEN layer_gap IS NULL AND NOT alone THEN buildings END AS buildings,
       CASE WHEN far_gap IS NULL THEN c.floor_area END AS floor_area_m2,
       CASE WHEN year_gap IS NULL THEN oldest END AS built_year_min,
       CASE WHEN year_gap IS NULL THEN newest END AS built_year_max,
       CASE WHEN year_gap IS NULL THEN %(survey_year)s - oldest END AS age,
       CASE WHEN grade_gap IS NULL THEN COALESCE(unsafe::float8 / NULLIF(buildings, 0), 0) END AS unsafe_share,
       vacancy,
       CASE WHEN since_gap IS NULL THEN months END AS vacant_months,
       CASE WHEN since_gap IS NULL THEN CASE WHEN vacancy = 1 THEN months ELSE 0 END
            WHEN vacancy < 1 THEN 0 END AS idle_months,
       jsonb_strip_nulls(jsonb_build_object(
           'far', far_gap,
           'far_estimated_share', far_gap,
           'coverage', layer_gap,
           'buildings', layer_gap,
           'floor_area_m2', far_gap,
           'built_year_min', year_gap,
           'built_year_max', year_gap,
           'age', year_gap,
           'unsafe_share', grade_gap,
           'vacancy', vacancy_gap,
           'vacant_months', since_gap,
           'idle_months', CASE WHEN vacancy < 1 THEN NULL ELSE since_gap END
       )) AS gaps
FROM counted c
LEFT JOIN crossing x ON x.subject = c.subject
