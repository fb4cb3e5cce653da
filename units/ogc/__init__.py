"""OGC API – Features, parts 1 and 2: the inventory for every GIS client, read only, rendered in SQL."""
