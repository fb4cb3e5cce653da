-- Which is the latest version of each redevelopment unit that was not deleted?
SELECT code, street_id, NULL AS kind, ST_AsBinary(geom) AS shape
FROM (
    SELECT DISTINCT ON (code) code, street_id, state, geom
    FROM units_redevelopmentunit
    WHERE district_id = %(district)s
    ORDER BY code, edition DESC
) latest
WHERE state <> 'deleted'
ORDER BY code COLLATE "C"
