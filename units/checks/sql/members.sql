-- Which parcels does the latest version of each redevelopment unit hold, and which share of each?
SELECT u.code, p.code, m.share::float8
FROM (
    SELECT DISTINCT ON (code) id, code, state
    FROM units_redevelopmentunit
    WHERE district_id = %(district)s
    ORDER BY code, edition DESC
) u
JOIN units_unitparcel m ON m.unit_id = u.id
JOIN units_parcel p ON p.id = m.parcel_id
WHERE u.state <> 'deleted'
ORDER BY u.code, p.code
