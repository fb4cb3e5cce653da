-- Where are the faults of this run kept until they are settled?
CREATE TEMP TABLE told (
    identity text PRIMARY KEY,
    code text,
    layer text,
    severity text,
    subjects text[],
    street_id text,
    survey_id bigint,
    sentence text,
    fix text,
    measure float8,
    uom text,
    details jsonb,
    fingerprint text,
    geom geometry,
    shaped boolean
) ON COMMIT DROP
