-- What of a preview falls in one tile: rows, the shapes they had before, and problems, as a Mapbox vector tile?
-- A shape of less than a few pixels is drawn together with those beside it of the same kind, as one small square: so
-- everything is seen from afar, and a tile of a whole city stays small. %(pixel)s is one pixel in degrees.
WITH tile AS (
    SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS square,
           ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 0.03), 4490) AS ground
), shown AS (
    SELECT r.id, r.row_number, r.kind, r.severity, r.geom::box2d AS box
    FROM importers_previewrow r, tile WHERE r.preview = %(preview)s AND r.geom && tile.ground
    UNION ALL
    SELECT r.id, r.row_number, r.kind, r.severity, r.before::box2d
    FROM importers_previewrow r, tile
    WHERE r.preview = %(preview)s AND r.geom IS NULL AND r.before IS NOT NULL AND r.before && tile.ground
), sized AS MATERIALIZED ( -- without the shapes, which a tile of a whole city would carry along
    SELECT id, row_number, kind, severity, ST_XMin(box) AS west, ST_YMin(box) AS south,
        greatest(ST_XMax(box) - ST_XMin(box), ST_YMax(box) - ST_YMin(box)) < 3 * %(pixel)s AS small
    FROM shown
), large AS (
    SELECT r.row_number, r.key, r.kind, r.severity, array_to_string(r.codes, ',') AS codes, 1 AS count,
        ST_AsMVTGeom(ST_Simplify(ST_Transform(coalesce(r.geom, r.before), 3857), %(fine)s, true), tile.square, 4096, 64)
            AS geom
    FROM sized JOIN importers_previewrow r USING (id), tile WHERE NOT sized.small
), cells AS (
    SELECT floor(west / (3 * %(pixel)s)) AS across, floor(south / (3 * %(pixel)s)) AS up, kind, severity,
        count(*)::int AS count, min(id) AS id
    FROM sized WHERE small GROUP BY 1, 2, 3, 4
), small AS (
    SELECT r.row_number, coalesce(r.key, '') AS key, c.kind, c.severity,
        coalesce(array_to_string(r.codes, ','), '') AS codes, c.count,
        ST_AsMVTGeom(ST_Transform(ST_MakeEnvelope(across * 3 * %(pixel)s, up * 3 * %(pixel)s,
            (across + 1) * 3 * %(pixel)s, (up + 1) * 3 * %(pixel)s, 4490), 3857), tile.square, 4096, 64) AS geom
    FROM cells c LEFT JOIN importers_previewrow r ON r.id = c.id AND c.count = 1, tile
), drawn AS (
    SELECT * FROM large UNION ALL SELECT * FROM small
), ordered AS (
    -- What does not change lies below what does, and that below what is not taken.
    SELECT * FROM drawn WHERE geom IS NOT NULL
    ORDER BY kind = 'unchanged' DESC, kind = 'refused', severity = 'error', row_number
), before AS (
    SELECT r.row_number, r.key, r.kind,
        ST_AsMVTGeom(ST_Simplify(ST_Transform(r.before, 3857), %(fine)s, true), tile.square, 4096, 64)
            AS geom
    FROM importers_previewrow r, tile
    WHERE r.preview = %(preview)s AND r.before IS NOT NULL AND r.before && tile.ground
      AND greatest(ST_XMax(r.before) - ST_XMin(r.before), ST_YMax(r.before) - ST_YMin(r.before)) >= 3 * %(pixel)s
), places AS (
    SELECT min(p.row_number) AS row_number, min(p.key) AS key, p.code, p.severity, count(*)::int AS count,
        ST_AsMVTGeom(ST_Transform(ST_Centroid(ST_Collect(p.geom)), 3857), tile.square, 4096, 64) AS geom
    FROM importers_previewproblem p, tile
    WHERE p.preview = %(preview)s AND p.geom && tile.ground
    GROUP BY p.code, p.severity, tile.square, floor(ST_X(p.geom) / (6 * %(pixel)s)), floor(ST_Y(p.geom) / (6 * %(pixel)s))
)
SELECT (SELECT coalesce(ST_AsMVT(ordered, 'preview', 4096, 'geom'), '') FROM ordered)
    || (SELECT coalesce(ST_AsMVT(before, 'before', 4096, 'geom'), '') FROM before)
    || (SELECT coalesce(ST_AsMVT(places, 'problems', 4096, 'geom'), '') FROM places)
