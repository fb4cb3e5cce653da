-- How did each record lie at that moment, and what was measured of it last?
-- The history keeps every version of parcels and buildings. What was measured is not kept: it is that of today. What
-- a building has no answer of its own to is that of the parcel under it.
WITH parcel AS (
    SELECT DISTINCT ON (e.pgh_obj_id) e.*
    FROM units_parcelevent e
    WHERE e.pgh_obj_id IN (SELECT b.parcel_id FROM pg_temp.counted b) AND e.pgh_created_at < %(moment)s
    ORDER BY e.pgh_obj_id, e.pgh_created_at DESC, e.pgh_id DESC
), building AS (
    SELECT DISTINCT ON (e.pgh_obj_id) e.*
    FROM units_buildingevent e
    WHERE e.pgh_obj_id IN (SELECT b.building_id FROM pg_temp.counted b) AND e.pgh_created_at < %(moment)s
    ORDER BY e.pgh_obj_id, e.pgh_created_at DESC, e.pgh_id DESC
), placed AS (
    SELECT b.subject, b.parcel_id, b.building_id, b.district_id, b.category, b.subtype, b.reasons, b.listed_since,
           p.code, p.survey_id, COALESCE(p.street_id, b.street_id) AS street_id, p.right_nature, p.right_until, p.geom,
           m.land_owner
    FROM pg_temp.counted b
    JOIN parcel p ON p.pgh_obj_id = b.parcel_id AND p.pgh_label <> 'delete'
    LEFT JOIN units_measured m ON m.subject = b.subject
    UNION ALL
    SELECT b.subject, b.parcel_id, b.building_id, b.district_id, b.category, b.subtype, b.reasons, b.listed_since,
           u.code, u.survey_id, COALESCE(u.street_id, b.street_id), under.right_nature, under.right_until, u.geom,
           under.land_owner
    FROM pg_temp.counted b
    JOIN building u ON u.pgh_obj_id = b.building_id AND u.pgh_label <> 'delete'
    LEFT JOIN LATERAL (
        SELECT p.right_nature, p.right_until, m.land_owner
        FROM units_parcel p
        LEFT JOIN units_measured m ON m.subject = p.id
        WHERE p.survey_id = u.survey_id AND p.geom && u.geom AND ST_Contains(p.geom, ST_PointOnSurface(u.geom))
        ORDER BY p.code
        LIMIT 1
    ) AS under ON TRUE
)
SELECT r.subject, r.parcel_id, r.building_id, r.district_id, r.street_id, r.code, r.survey_id, r.category, r.subtype,
       r.reasons, r.listed_since, COALESCE(r.right_nature, '') AS right_nature, r.right_until,
       COALESCE(r.land_owner, '') AS land_owner, r.geom, size.area_m2,
       CASE WHEN size.hectares < 1 THEN '0' WHEN size.hectares < 5 THEN '1' WHEN size.hectares < 10 THEN '5'
            ELSE '10' END AS size,
       COALESCE((floor(m.built_year_min / 10) * 10)::integer::text, '') AS decade,
       COALESCE(m.main_class, '') AS main_class, COALESCE(m.grade, '') AS grade,
       CASE WHEN m.metro_distance IS NULL THEN '' WHEN m.metro_distance < 500 THEN '0'
            WHEN m.metro_distance < 1000 THEN '500' WHEN m.metro_distance < 2000 THEN '1000' ELSE '2000' END AS metro,
       m.far, m.net_developable_m2, m.plan_conflict, m.approved_unsupplied_share, m.supply_state, m.completion_overdue,
       m.tax_per_mu, m.sector_tax_mean
FROM placed r
CROSS JOIN LATERAL (
    SELECT area_m2, round(area_m2::numeric, 2) / 10000 AS hectares
    FROM (SELECT ST_Area(r.geom::geography) AS area_m2) AS one
    OFFSET 0
) AS size
LEFT JOIN units_measured m ON m.subject = r.subject
