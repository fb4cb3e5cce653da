-- Which candidates of a set in the district's last run have no record yet, and what are their records and moves?
WITH latest AS (
    SELECT max(run.id) AS run
    FROM units_flagrun run
    JOIN units_criteriaedition edition ON edition.digest = run.edition_id
    WHERE run.district_id = %(district)s AND edition.name = %(criteria)s
),
raised AS (
    SELECT flag.*, run.survey_id, run.edition_id, survey.year,
           row_number() OVER (ORDER BY flag.id) AS place
    FROM units_flag flag
    JOIN units_flagrun run ON run.id = flag.run_id
    JOIN units_survey survey ON survey.id = run.survey_id AND survey.state = 'in_force'
    WHERE flag.district_id = %(district)s AND flag.criteria = %(criteria)s AND flag.outcome = 'candidate'
      AND flag.category = ANY (%(categories)s)
      AND NOT EXISTS (SELECT FROM units_determination known WHERE known.parcel_id = flag.parcel_id)
      AND NOT EXISTS (SELECT FROM units_determination known WHERE known.building_id = flag.building_id)
),
made AS (
    INSERT INTO units_determination (
        district_id, street_id, code, parcel_id, building_id, category, subtype, state, result, reason_codes, criteria,
        raised_reason, reason, evidence, procedure, change, plan_item, after, base_survey_year, version
    )
    SELECT district_id, street_id, %(prefix)s || lpad((%(last)s + place)::text, %(digits)s, '0'), parcel_id,
           building_id, category, '', 'suspect', '', fired, criteria, '', '', '{}', '', '', '', '{}', year, 1
    FROM raised
    ORDER BY place
    RETURNING code, district_id, street_id
),
moved AS (
    INSERT INTO units_move (
        register, subject, district_id, street_id, from_state, to_state, by_id, role, at, comment, details
    )
    SELECT 'record', made.code, made.district_id, made.street_id, '', 'suspect', %(by)s, %(role)s, now(), '',
           jsonb_build_object('criteria', %(criteria)s::text, 'digest', edition.digest, 'run', latest.run)
    FROM made
    CROSS JOIN latest
    JOIN units_flagrun run ON run.id = latest.run
    JOIN units_criteriaedition edition ON edition.digest = run.edition_id
    RETURNING 1
)
SELECT count(*) FROM moved
