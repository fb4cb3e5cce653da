-- What was agreed when each parcel was supplied, and how late was its work on the last day of the year?
-- A day after that has not come yet, and a contract signed after it is not on file yet. A blank day is a thing that has
-- not happened only where nothing contradicts it: work has not started where a permanent building stands, land is
-- developed or money invested is a report that is missing, and so is a completion that is blank with all developed.
-- Without a contract nothing was agreed: the number of contracts is 0, and there are no delays to tell.
-- The state of supply is that of 闲置土地处置办法 (2012), article 2: idle is what was not begun for more than a year after
-- the day agreed, or what stands still for a year with less than a third developed or a quarter invested.
WITH day AS (
    SELECT make_date(%(survey_year)s, 12, 31) AS day
), paper AS (
    SELECT c.id, c.parcel_id AS subject, c.start_agreed, c.completion_agreed,
           COALESCE(c.start_actual <= day.day OR c.stopped_on <= day.day OR c.completion_actual <= day.day, FALSE)
               AS started,
           c.start_actual IS NULL AS start_blank,
           COALESCE(c.completion_actual <= day.day, FALSE) AS completed,
           -- who stopped has not finished
           c.completion_actual IS NULL AND COALESCE(c.stopped_on > day.day, TRUE) AS completion_blank,
           c.completion_actual, c.stopped_on, c.far_min::float8 AS far_min, c.tax_agreed_cny_mu::float8 AS tax_agreed,
           c.investment_agreed_cny::float8 AS agreed,
           c.investment_actual_cny::float8 AS invested, NULLIF(c.area_m2, 0)::float8 AS area,
           -- a column of the sheet that no table of ours has
           substring(COALESCE(c.extra ->> '已开发面积（平方米）', c.extra ->> '已开发面积(平方米)')
                     FROM '^\s*(\d+(?:\.\d+)?)\s*$')::float8 AS developed
    FROM units_supplycontract c
    JOIN parcel p ON p.subject = c.parcel_id
    CROSS JOIN day
    WHERE c.signed_on IS NULL OR c.signed_on <= day.day
), told AS (
    SELECT paper.*,
           CASE WHEN NOT started AND start_agreed IS NULL THEN 'contract.start_agreed'
                WHEN NOT started AND start_blank AND start_agreed < day.day
                    THEN CASE WHEN b.buildings > 0 OR developed > 0 OR invested > 0 THEN 'contract.start_actual'
                              -- nobody can say whether something stands
                              WHEN b.buildings IS NULL THEN b.gaps ->> 'buildings' END END AS start_gap,
           CASE WHEN completion_blank AND round((developed / area)::numeric, 4) >= 1
                    THEN 'contract.completion_actual' END AS completed_gap
    FROM paper
    JOIN building b ON b.subject = paper.subject
    CROSS JOIN day
), passed AS (
    SELECT told.id, since.name, since.gap,
           CASE WHEN since.gap IS NOT NULL THEN NULL WHEN since.day IS NULL OR since.day > day.day THEN 0
                ELSE y.years + (day.day - (since.day + make_interval(years => y.years))::date)::numeric
                    / ((since.day + make_interval(years => y.years + 1))::date
                       - (since.day + make_interval(years => y.years))::date) END AS years
    FROM told
    CROSS JOIN day
    CROSS JOIN LATERAL (VALUES
        ('start', CASE WHEN NOT started THEN start_agreed END, start_gap),
        ('completion', CASE WHEN NOT completed THEN completion_agreed END,
         CASE WHEN NOT completed AND completion_agreed IS NULL THEN 'contract.completion_agreed'
              WHEN completion_agreed < day.day THEN completed_gap END),
        ('completed', CASE WHEN completed THEN completion_actual END, completed_gap),
        ('stopped', CASE WHEN NOT completed THEN stopped_on END, NULL)
    ) AS since (name, day, gap)
    CROSS JOIN LATERAL (SELECT extract(year FROM age(day.day, since.day))::integer AS years) AS y
), whole AS (
    SELECT paper.subject, count(*) AS contracts,
           max(s.start) AS start_overdue, min(s.start_gap) AS start_gap,
           max(s.completion) AS completion_overdue, min(s.completion_gap) AS completion_gap,
           max(s.completed) AS completed_for, min(s.completed_gap) AS completed_gap, max(s.stopped) AS stopped_for,
           sum(agreed) AS agreed, CASE WHEN bool_and(invested IS NOT NULL) THEN sum(invested) END AS invested,
           bool_or(agreed IS NULL) AS agreed_missing, bool_or(invested IS NULL) AS invested_missing,
           sum(area) AS area, sum(developed) AS developed, bool_or(area IS NULL) AS area_missing,
           bool_or(developed IS NULL) AS developed_missing,
           bool_and(paper.completed) AS all_completed, bool_and(paper.started) AS all_started,
           CASE WHEN bool_and(far_min IS NOT NULL) THEN max(far_min) END AS far_agreed,
           CASE WHEN bool_and(tax_agreed IS NOT NULL) THEN max(tax_agreed) END AS tax_agreed
    FROM paper
    JOIN (
        SELECT id, max(years) FILTER (WHERE name = 'start') AS start,
               min(gap) FILTER (WHERE name = 'start') AS start_gap,
               max(years) FILTER (WHERE name = 'completion') AS completion,
               min(gap) FILTER (WHERE name = 'completion') AS completion_gap,
               max(years) FILTER (WHERE name = 'completed') AS completed,
               min(gap) FILTER (WHERE name = 'completed') AS completed_gap,
               max(years) FILTER (WHERE name = 'stopped') AS stopped
        FROM passed
        GROUP BY id
    ) AS s ON s.id = paper.id
    GROUP BY paper.subject
), known AS (
    SELECT p.subject, COALESCE(w.contracts, 0) AS contracts, w.start_overdue, w.completion_overdue, w.completed_for,
           w.stopped_for, w.agreed, w.invested, w.area, w.developed,
           w.start_gap, w.completion_gap, w.completed_gap, w.all_completed, w.all_started, w.far_agreed,
           w.tax_agreed / 10000 AS tax_agreed, p.area_m2,
           b.far, COALESCE(b.gaps ->> 'far', 'building.floor_area') AS far_gap,
           e.tax_per_mu, COALESCE(e.gaps ->> 'tax_per_mu', 'enterprise.tax') AS tax_gap,
           round(COALESCE(w.start_overdue, 0)::numeric, 4) AS start_years,
           round(COALESCE(w.stopped_for, 0)::numeric, 4) AS stopped_years,
           CASE WHEN NOT w.area_missing THEN w.area END AS whole_area,
           CASE WHEN NOT %(contracts_loaded)s THEN 'contracts' END AS layer_gap,
           CASE WHEN NOT %(contracts_loaded)s THEN 'contracts' WHEN w.subject IS NULL THEN 'contract' END AS paper_gap,
           CASE WHEN w.agreed_missing OR w.agreed = 0 THEN 'contract.investment_agreed'
                WHEN w.invested_missing THEN 'contract.investment_actual' END AS investment_gap,
           CASE WHEN w.developed_missing THEN 'contract.developed_area'
                WHEN w.area_missing THEN 'contract.area' END AS developed_gap
    FROM parcel p
    LEFT JOIN whole w ON w.subject = p.subject
    LEFT JOIN building b ON b.subject = p.subject
    LEFT JOIN economy e ON e.subject = p.subject
), shared AS (
    SELECT known.*,
           CASE WHEN investment_gap IS NULL THEN round((invested / agreed)::numeric, 4) END AS invested_share,
           CASE WHEN developed_gap IS NULL THEN round((developed / area)::numeric, 4) END AS developed_part
    FROM known
), classed AS (
    SELECT shared.*,
           CASE WHEN paper_gap IS NOT NULL THEN NULL
                WHEN all_completed THEN 'completed'
                WHEN stopped_years >= 1
                THEN CASE WHEN invested_share < 0.25 OR developed_part < 0.3333 THEN 'idle'
                          WHEN invested_share >= 0.25 AND developed_part >= 0.3333 THEN 'unfinished' END
                WHEN stopped_years > 0 THEN 'stopped'
                WHEN all_started THEN CASE WHEN completed_gap IS NULL THEN 'building' END
                WHEN start_gap IS NOT NULL THEN NULL
                WHEN start_years > 1 THEN 'idle'
                WHEN start_years > 0 THEN 'overdue'
                ELSE 'not_due' END AS supply_state
    FROM shared
)
SELECT subject,
       CASE WHEN layer_gap IS NULL THEN contracts END AS contracts,
       CASE WHEN paper_gap IS NULL AND start_gap IS NULL THEN COALESCE(start_overdue, 0) END AS start_overdue,
       CASE WHEN paper_gap IS NULL AND completion_gap IS NULL THEN COALESCE(completion_overdue, 0) END
           AS completion_overdue,
       CASE WHEN paper_gap IS NULL AND completed_gap IS NULL THEN COALESCE(completed_for, 0) END AS completed_for,
       CASE WHEN paper_gap IS NULL THEN COALESCE(stopped_for, 0) END AS stopped_for,
       CASE WHEN paper_gap IS NULL AND investment_gap IS NULL THEN invested / agreed END AS investment_share,
       CASE WHEN paper_gap IS NULL AND developed_gap IS NULL THEN developed / area END AS developed_share,
       whole_area AS contract_m2, (area_m2 - whole_area) / whole_area AS contract_difference,
       invested / 10000 / (whole_area / %(mu)s::float8) AS investment_per_mu,
       far_agreed, far / NULLIF(far_agreed, 0) AS far_agreed_ratio,
       tax_agreed AS tax_agreed_per_mu, tax_per_mu / NULLIF(tax_agreed, 0) AS tax_agreed_ratio, supply_state,
       jsonb_strip_nulls(jsonb_build_object(
           'contracts', layer_gap,
           'start_overdue', COALESCE(paper_gap, start_gap),
           'completion_overdue', COALESCE(paper_gap, completion_gap),
           'completed_for', COALESCE(paper_gap, completed_gap),
           'stopped_for', paper_gap,
           'investment_share', COALESCE(paper_gap, investment_gap),
           'developed_share', COALESCE(paper_gap, developed_gap),
           'contract_m2', COALESCE(paper_gap, CASE WHEN whole_area IS NULL THEN 'contract.area' END),
           'contract_difference', COALESCE(paper_gap, CASE WHEN whole_area IS NULL THEN 'contract.area' END),
           'investment_per_mu', COALESCE(paper_gap, CASE WHEN whole_area IS NULL THEN 'contract.area'
                                                         WHEN invested IS NULL THEN 'contract.investment_actual' END),
           'far_agreed', COALESCE(paper_gap, CASE WHEN far_agreed IS NULL THEN 'contract.far_agreed' END),
           'far_agreed_ratio', COALESCE(paper_gap, CASE WHEN COALESCE(far_agreed, 0) = 0 THEN 'contract.far_agreed'
                                                        WHEN far IS NULL THEN far_gap END),
           'tax_agreed_per_mu', COALESCE(paper_gap, CASE WHEN tax_agreed IS NULL THEN 'contract.tax_agreed' END),
           'tax_agreed_ratio', COALESCE(paper_gap, CASE WHEN COALESCE(tax_agreed, 0) = 0 THEN 'contract.tax_agreed'
                                                        WHEN tax_per_mu IS NULL THEN tax_gap END),
           'supply_state', CASE WHEN supply_state IS NULL
                                THEN COALESCE(paper_gap, CASE WHEN stopped_years >= 1
                                                              THEN COALESCE(developed_gap, investment_gap)
                                                              WHEN all_started THEN completed_gap ELSE start_gap END) END
       )) AS gaps
FROM classed
