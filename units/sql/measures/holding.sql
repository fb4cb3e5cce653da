-- Which firm was on which parcel or in which building on the last day of the year, and which part of its figures falls there?
-- A firm's figures are split over all that it occupies, by floor area used, else by land used; one place takes all.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), held AS MATERIALIZED (
    SELECT o.id, o.enterprise_id AS firm, o.parcel_id AS parcel, o.building_id AS building,
           NULLIF(o.floor_area_m2, 0)::float8 AS floor, NULLIF(o.land_area_m2, 0)::float8 AS land, o.is_tenant
    FROM units_occupancy o
    JOIN units_parcel p ON p.id = o.parcel_id AND p.survey_id = %(survey)s
    CROSS JOIN day
    WHERE (o.since IS NULL OR o.since <= day.day) AND (o.until IS NULL OR o.until >= day.day)
), split AS (
    SELECT held.*,
           CASE WHEN count(*) OVER firm = 1 THEN 1
                WHEN count(floor) OVER firm = count(*) OVER firm THEN floor / sum(floor) OVER firm
                WHEN count(land) OVER firm = count(*) OVER firm THEN land / sum(land) OVER firm END AS share,
           -- how much of its parcel the firm has, beside the others there
           CASE WHEN count(*) OVER parcel = 1 THEN 1
                WHEN count(floor) OVER parcel = count(*) OVER parcel THEN floor / sum(floor) OVER parcel
                WHEN count(land) OVER parcel = count(*) OVER parcel THEN land / sum(land) OVER parcel END AS weight
    FROM held
    WINDOW firm AS (PARTITION BY firm), parcel AS (PARTITION BY parcel)
), telling AS (
    -- the deliveries of firms that had a column for penalties, though it may be blank throughout
    SELECT d.id
    FROM units_delivery d
    WHERE d.district_id = %(district)s AND d.profile = 'enterprise'
      AND (d.settings -> 'further' ?| ARRAY['处罚文号', '处罚机关', '处罚日期']
           OR EXISTS (SELECT FROM units_enterprise e
                      WHERE e.delivery_id = d.id AND e.extra ?| ARRAY['处罚文号', '处罚机关', '处罚日期']))
)
SELECT split.*, NULLIF(e.sector, '') AS sector, COALESCE(substring(e.sector_edition FROM '(\d{4})\D*$'), '') AS edition,
       e.above_scale, e.strategic, e.started_on, e.registered_in,
       y.tax_cny::float8 * share AS tax, y.output_cny::float8 * share AS output, NULLIF(y.grade, '') AS grade,
       y.sales_cny::float8 AS sales, y.energy_tce::float8 AS energy, y.power_kwh::float8 AS power,
       y.water_m3::float8 AS water,  -- the firm's whole
       y.tax_cny IS NULL AS tax_missing, y.output_cny IS NULL AS output_missing,
       -- a penalty: none, or put right, or still open, or nobody can say; one of a later year was not imposed yet
       e.extra ?| ARRAY['处罚文号', '处罚机关', '处罚日期'] OR EXISTS (SELECT FROM telling t WHERE t.id = e.delivery_id)
           AS penalties_told,
       COALESCE(e.extra ->> '处罚文号', e.extra ->> '处罚机关', e.extra ->> '处罚日期', '') <> ''
           AND COALESCE(substring(e.extra ->> '处罚日期' FROM '^\s*(\d{4})')::integer, 0) <= %(survey_year)s AS fined,
       CASE WHEN e.extra ->> '是否整改' IN ('是', '1', 'Y', 'true', '已整改') THEN TRUE
            WHEN e.extra ->> '是否整改' IN ('否', '0', 'N', 'false', '未整改') THEN FALSE END AS mended
FROM split
JOIN units_enterprise e ON e.id = split.firm
LEFT JOIN units_enterpriseyear y ON y.enterprise_id = split.firm AND y.year = %(survey_year)s
