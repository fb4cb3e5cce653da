-- Where is the centre of each parcel that is counted, in the district's Gauss–Krüger zone?
SELECT r.subject, ST_Transform(ST_Centroid(r.geom), %(srid)s) AS geom FROM pg_temp.record r WHERE r.parcel_id IS NOT NULL
