-- Which rows left over on both sides have the same shape but for the noise of reprojecting it, and no other such row?
WITH near AS (
    SELECT n.row_number, h.id
    FROM left_new n JOIN left_held h ON n.geom && h.geom
    WHERE ST_NPoints(n.geom) = ST_NPoints(h.geom)
      AND abs(ST_XMin(n.geom) - ST_XMin(h.geom)) <= %(noise)s AND abs(ST_XMax(n.geom) - ST_XMax(h.geom)) <= %(noise)s
      AND abs(ST_YMin(n.geom) - ST_YMin(h.geom)) <= %(noise)s AND abs(ST_YMax(n.geom) - ST_YMax(h.geom)) <= %(noise)s
      AND NOT EXISTS (
          SELECT FROM ST_DumpPoints(n.geom) a FULL JOIN ST_DumpPoints(h.geom) b ON a.path = b.path
          WHERE (abs(ST_X(a.geom) - ST_X(b.geom)) <= %(noise)s AND abs(ST_Y(a.geom) - ST_Y(b.geom)) <= %(noise)s)
                IS NOT TRUE)
), alone AS (
    SELECT row_number, id, count(*) OVER (PARTITION BY row_number) AS held, count(*) OVER (PARTITION BY id) AS new
    FROM near
)
INSERT INTO claimed SELECT row_number, id FROM alone WHERE held = 1 AND new = 1
