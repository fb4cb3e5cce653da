-- Which of the firms on each parcel stand on a list of sectors, and which have broken a rule and not put it right?
-- Of each list its newest edition of the survey's year or before counts. Codes of one edition are compared digit by
-- digit, those of two by their divisions alone: where the divisions agree and the list says more, nobody can say.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), listing AS (
    SELECT c.grade, c.edition, ltrim(c.sector, 'ABCDEFGHIJKLMNOPQRST') AS digits
    FROM (
        SELECT c.grade, c.sector, substring(c.sector_edition FROM '(\d{4})\D*$') AS edition,
               rank() OVER (PARTITION BY c.source ORDER BY c.year DESC, c.edition DESC) AS place
        FROM units_sectorclass c
        WHERE c.district_id = %(district)s AND c.year <= %(survey_year)s
    ) AS c
    WHERE c.place = 1
), entry AS (
    SELECT l.grade, l.edition, l.digits, d.division AS division_2002
    FROM listing l
    LEFT JOIN LATERAL (
        SELECT d.division
        FROM unnest(%(division_editions)s::text[], %(division_sectors)s::text[], %(divisions_2002)s::text[])
            AS d (edition, sector, division)
        WHERE d.edition = l.edition AND starts_with(l.digits, d.sector)
        ORDER BY length(d.sector) DESC
        LIMIT 1
    ) AS d ON TRUE
), met AS (
    SELECT b.sector, b.edition, CASE e.grade WHEN 'banned' THEN 3 WHEN 'eliminated' THEN 2 ELSE 1 END AS weight,
           CASE WHEN b.edition = e.edition
                THEN CASE WHEN starts_with(b.digits, e.digits) THEN TRUE
                          WHEN NOT starts_with(e.digits, b.digits) THEN FALSE END
                WHEN '2002' = ANY(ARRAY[b.edition, e.edition])
                THEN CASE WHEN b.division_2002 <> e.division_2002 THEN FALSE
                          WHEN b.division_2002 = e.division_2002 AND e.edition = '2002' AND length(e.digits) = 2
                              THEN TRUE END
                WHEN left(b.digits, 2) <> left(e.digits, 2) THEN FALSE
                WHEN length(e.digits) = 2 AND length(b.digits) >= 2 THEN TRUE END AS listed
    FROM branch b
    CROSS JOIN entry e
), graded AS (
    SELECT sector, edition, COALESCE(max(weight) FILTER (WHERE listed), 0) AS sure,
           COALESCE(max(weight) FILTER (WHERE listed IS NULL), 0) AS perhaps
    FROM met
    GROUP BY sector, edition
), fault AS (
    SELECT v.enterprise_id AS firm,
           count(*) FILTER (WHERE v.rectified = FALSE OR v.rectified_on > day.day) AS open,
           count(*) FILTER (WHERE v.rectified IS NULL) AS unsure
    FROM units_violation v
    CROSS JOIN day
    WHERE v.happened_on <= day.day
    GROUP BY v.enterprise_id
), told AS (
    SELECT EXISTS (SELECT FROM units_delivery d
                   WHERE d.district_id = %(district)s AND d.profile = 'violation' AND d.state = 'loaded') AS faults,
           EXISTS (SELECT FROM listing) AS list
), firm AS (
    SELECT DISTINCT h.parcel, h.firm, h.sector, h.edition FROM holding h JOIN parcel p ON p.subject = h.parcel
), whole AS (
    SELECT f.parcel, bool_or(f.sector IS NULL) AS sector_missing, max(g.sure) AS sure, max(g.perhaps) AS perhaps,
           COALESCE(sum(v.open), 0) AS open, COALESCE(sum(v.unsure), 0) AS unsure
    FROM firm f
    LEFT JOIN graded g ON g.sector = f.sector AND g.edition = f.edition
    LEFT JOIN fault v ON v.firm = f.firm
    GROUP BY f.parcel
), known AS (
    SELECT p.subject, told.faults, COALESCE(w.open, 0) AS open, COALESCE(w.unsure, 0) AS unsure,
           COALESCE(w.sure, 0) AS sure,
           CASE WHEN NOT %(occupancy_loaded)s THEN 'enterprises' WHEN w.parcel IS NULL THEN 'occupancy' END AS firm_gap,
           CASE WHEN NOT told.list THEN 'sector_list'
                WHEN COALESCE(w.sure, 0) = 3 THEN NULL
                WHEN w.sector_missing THEN 'enterprise.sector'
                WHEN w.perhaps > COALESCE(w.sure, 0) THEN 'enterprise.sector_edition' END AS list_gap,
           CASE WHEN NOT told.faults THEN 'violations' WHEN w.unsure > 0 THEN 'enterprise.rectified' END AS fault_gap
    FROM parcel p
    CROSS JOIN told
    LEFT JOIN whole w ON w.parcel = p.subject
)
SELECT subject, open, unsure, faults AS told,
       CASE WHEN firm_gap IS NULL AND list_gap IS NULL
            THEN (ARRAY['none', 'restricted', 'eliminated', 'banned'])[sure + 1] END AS sector_class,
       CASE WHEN firm_gap IS NULL AND fault_gap IS NULL THEN open END AS violations,
       jsonb_strip_nulls(jsonb_build_object(
           'sector_class', COALESCE(firm_gap, list_gap),
           'violations', COALESCE(firm_gap, fault_gap)
       )) AS gaps
FROM known
