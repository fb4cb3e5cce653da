-- How did the findings stand that this delivery tells again or resolves, so that taking it back can give them back?
INSERT INTO importers_replaced (delivery_id, "table", key, row)
SELECT %(delivery)s, 'units_finding', f.id, (f.*)::text
FROM units_finding f
WHERE f.id IN (
    SELECT again.id FROM units_finding again JOIN told_by_file t ON t.identity = again.identity
    WHERE again.district_id = %(district)s
    UNION
    SELECT earlier.id FROM units_finding earlier JOIN units_delivery d ON d.id = earlier.delivery_id
    WHERE d.district_id = %(district)s AND d.profile = %(profile)s AND d.id <> %(delivery)s
      AND (%(survey)s::bigint IS NULL OR d.survey_id = %(survey)s)
      AND (%(layer)s::text IS NULL OR d.layer = %(layer)s)
      AND d.sha256 || ' ' || d.layer <> ALL (%(beside)s)
      -- A supplement says nothing of the rows that it does not hold.
      AND (%(completes)s::bigint[] IS NULL OR d.id = ANY (%(completes)s))
      AND (%(spoken)s::text[] IS NULL OR earlier.subjects[1] = ANY (%(spoken)s))
      AND earlier.state <> 'resolved'
)
