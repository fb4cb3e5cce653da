-- Which findings stand in the way of the identities that others get back? For the moment none of them has one.
WITH kept AS MATERIALIZED (
    SELECT key::bigint AS id, (row::units_finding).identity AS identity, (row::units_finding).district_id AS district_id
    FROM importers_replaced WHERE delivery_id = %(delivery)s AND "table" = 'units_finding'
), back AS (
    SELECT kept.* FROM kept JOIN units_finding f USING (id)
    WHERE f.identity <> kept.identity AND NOT f.subjects && %(staying)s::varchar[]
)
UPDATE units_finding f SET identity = 'taken back ' || f.id
FROM back WHERE f.id = back.id OR (f.district_id = back.district_id AND f.identity = back.identity)
