-- How much of each parcel do firms rent, and how much of it firms that are registered elsewhere?
WITH used AS (
    SELECT h.parcel, h.weight, h.is_tenant,
           CASE WHEN h.is_tenant THEN NULLIF(h.registered_in, '') <> %(district)s ELSE h.is_tenant END AS outside,
           h.is_tenant IS NULL AS tenant_missing
    FROM holding h
    JOIN parcel p ON p.subject = h.parcel
), whole AS (
    SELECT parcel, bool_or(weight IS NULL) AS weight_missing,
           bool_or(tenant_missing) AS tenant_missing, bool_and(is_tenant) AS all_let, bool_or(is_tenant) AS any_let,
           COALESCE(sum(weight) FILTER (WHERE is_tenant), 0) AS let,
           bool_or(outside IS NULL AND NOT tenant_missing) AS place_missing, bool_and(outside) AS all_outside,
           bool_or(outside) AS any_outside, COALESCE(sum(weight) FILTER (WHERE outside), 0) AS outside
    FROM used
    GROUP BY parcel
), known AS (
    SELECT p.subject, w.*,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' WHEN w.parcel IS NULL THEN 'occupancy' END AS firm_gap,
           CASE WHEN tenant_missing THEN 'occupancy.is_tenant'
                WHEN weight_missing AND any_let AND NOT all_let THEN 'occupancy.area' END AS let_gap,
           CASE WHEN tenant_missing THEN 'occupancy.is_tenant'
                WHEN place_missing THEN 'enterprise.registered_in'
                WHEN weight_missing AND any_outside AND NOT all_outside THEN 'occupancy.area' END AS outside_gap
    FROM parcel p
    LEFT JOIN whole w ON w.parcel = p.subject
)
SELECT subject,
       CASE WHEN firm_gap IS NULL AND let_gap IS NULL
            THEN CASE WHEN all_let THEN 1 WHEN NOT any_let THEN 0 ELSE LEAST(1, let) END END AS tenant_share,
       CASE WHEN firm_gap IS NULL AND outside_gap IS NULL
            THEN CASE WHEN all_outside THEN 1 WHEN NOT any_outside THEN 0 ELSE LEAST(1, outside) END END
           AS outside_tenant_share,
       jsonb_strip_nulls(jsonb_build_object(
           'tenant_share', COALESCE(firm_gap, let_gap),
           'outside_tenant_share', COALESCE(firm_gap, outside_gap)
       )) AS gaps
FROM known
