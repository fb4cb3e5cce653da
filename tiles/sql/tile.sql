-- Which features of a layer fall in one tile, as a Mapbox vector tile?
-- The parts in braces are our own text; every value is a parameter. ST_AsMVT leaves out what has no shape here; to ask
-- for shapes that are there would make each of them twice.
WITH tile AS (
    SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS square,
           ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => %(margin)s), 4490) AS ground
),
feature AS (
    SELECT source.fid, ST_AsMVTGeom({shape}, tile.square, %(extent)s, %(buffer)s) AS geom{columns}
    FROM tile CROSS JOIN ({source}) AS source
    WHERE source.geom && tile.ground AND {large_enough} AND {rights}
)
SELECT ST_AsMVT(feature, %(layer)s, %(extent)s, 'geom', 'fid') FROM feature
