-- How much is built on each parcel, and how long ago?
-- No building on a parcel is FAR 0 only where a delivery of buildings is in force and reached the parcel: within the box
-- of what was delivered. Elsewhere nothing is known.
WITH reach AS (
    SELECT ST_MakeEnvelope(e.west, e.south, e.east, e.north, %(storage_srid)s) AS box
    FROM unnest(%(reach_west)s::float8[], %(reach_south)s::float8[], %(reach_east)s::float8[],
                %(reach_north)s::float8[]) AS e (west, south, east, north)
), piece AS MATERIALIZED (
    SELECT s.subject, b.built_year, b.floor_area, b.estimated, b.area,
           CASE WHEN ST_CoveredBy(b.geom, s.geom) THEN b.geom
                ELSE ST_CollectionExtract(ST_Intersection(b.geom, s.geom), 3) END AS geom
    FROM subject s
    JOIN footprint b ON ST_Intersects(s.geom, b.geom)
), part AS MATERIALIZED (
    -- a mis-drawn wall that crosses the border is no building of this parcel, so its missing facts are not asked for
    SELECT piece.*, ST_Area(geom) / area AS share,
           ST_Area(geom) > %(overlap_area)s
               AND 2 * ST_Area(geom) / NULLIF(ST_Perimeter(geom), 0) > %(overlap_width)s AS counts
    FROM piece
    WHERE NOT ST_IsEmpty(geom)
), whole AS (
    SELECT s.subject, s.area, s.area_m2,
           count(*) FILTER (WHERE p.counts) AS buildings,
           bool_or(p.floor_area IS NULL) FILTER (WHERE p.counts) AS floor_area_missing,
           bool_or(p.built_year IS NULL) FILTER (WHERE p.counts) AS built_year_missing,
           min(p.built_year) FILTER (WHERE p.counts) AS built_year,
           COALESCE(sum(p.floor_area * p.share), 0) AS floor_area,
           COALESCE(sum(p.floor_area * p.share) FILTER (WHERE p.estimated), 0) AS estimated,
           CASE WHEN count(p.geom) > 1 THEN ST_Area(ST_Union(p.geom)) ELSE COALESCE(sum(ST_Area(p.geom)), 0) END
               AS footprint
    FROM subject s
    LEFT JOIN part p ON p.subject = s.subject
    GROUP BY s.subject, s.area, s.area_m2
), held AS (
    SELECT whole.*,
           CASE WHEN NOT %(buildings_loaded)s THEN 'buildings'
                WHEN buildings = 0 AND NOT %(reach_everywhere)s
                     AND NOT EXISTS (SELECT FROM reach WHERE reach.box && s.stored)
                    THEN 'buildings.cover' END AS layer_gap
    FROM whole
    JOIN subject s ON s.subject = whole.subject
), known AS (
    SELECT held.*,
           COALESCE(layer_gap, CASE WHEN floor_area_missing THEN 'building.floor_area' END) AS far_gap,
           COALESCE(layer_gap, CASE WHEN built_year_missing OR buildings = 0 THEN 'building.built_year' END)
               AS year_gap
    FROM held
)
SELECT subject,
       CASE WHEN far_gap IS NULL THEN floor_area / area_m2 END AS far,
       CASE WHEN far_gap IS NULL THEN COALESCE(estimated / NULLIF(floor_area, 0), 0) END AS far_estimated_share,
       CASE WHEN layer_gap IS NULL THEN LEAST(1, footprint / area) END AS coverage,
       CASE WHEN layer_gap IS NULL THEN buildings END AS buildings,
       CASE WHEN year_gap IS NULL THEN built_year END AS built_year_min,
       CASE WHEN year_gap IS NULL THEN %(survey_year)s - built_year END AS age,
       jsonb_strip_nulls(jsonb_build_object(
           'far', far_gap,
           'far_estimated_share', far_gap,
           'coverage', layer_gap,
           'buildings', layer_gap,
           'built_year_min', year_gap,
           'age', year_gap
       )) AS gaps
FROM known
