-- Which parcels and office buildings may be measured otherwise, after what was changed?
-- What lies in the box of an old or a new shape; all that a firm occupies, for its figures are split over it; and of a
-- parcel the office buildings on it, which have what it has. Only buildings of these uses, or judged before, can be
-- subjects (see subject.sql).
WITH box AS (
    SELECT DISTINCT box AS shape FROM stale WHERE box IS NOT NULL
    UNION ALL
    SELECT ST_Envelope(d.geom) FROM units_landusepatch d WHERE d.survey_id = %(survey)s AND d.id > %(patches_until)s
), firm AS (
    SELECT enterprise_id AS id FROM stale WHERE enterprise_id IS NOT NULL
    UNION
    SELECT o.enterprise_id FROM stale s JOIN units_occupancy o ON o.parcel_id = s.parcel_id
), land AS MATERIALIZED (
    SELECT parcel_id AS id FROM stale WHERE parcel_id IS NOT NULL
    UNION
    SELECT o.parcel_id FROM firm JOIN units_occupancy o ON o.enterprise_id = firm.id
    UNION
    SELECT p.id FROM box JOIN units_parcel p ON p.geom && box.shape AND p.survey_id = %(survey)s
), house AS (
    SELECT b.id, b.use
    FROM land JOIN units_parcel p ON p.id = land.id JOIN units_building b ON b.geom && p.geom
    WHERE b.survey_id = %(survey)s
    UNION
    SELECT b.id, b.use FROM box JOIN units_building b ON b.geom && box.shape AND b.survey_id = %(survey)s
)
SELECT COALESCE((SELECT array_agg(id ORDER BY id) FROM land), '{}'),
       COALESCE((SELECT array_agg(id ORDER BY id) FROM (
           SELECT building_id AS id FROM stale WHERE building_id IS NOT NULL
           UNION
           SELECT id FROM house h
           WHERE h.use = '' OR left(h.use, 1) IN ('3', '6')
              OR EXISTS (SELECT FROM units_measured m WHERE m.subject = -h.id)
       ) AS one), '{}')
