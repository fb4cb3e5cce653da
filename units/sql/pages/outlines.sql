-- Which parcels lie in a box, with every digit of their vertices?
-- The part in braces is what the reader may see of the parcels. Fifteen decimals of a degree are more than a float has.
SELECT p.code, ST_AsGeoJSON(p.geom, 15, 0) AS shape
FROM {parcels} AS p
WHERE p.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)
ORDER BY p.code
LIMIT %(limit)s
