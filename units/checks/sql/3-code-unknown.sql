-- Which stored codes are in no code table? Each with the profile, field and file layer that an import tells it under.
SELECT found.layer, found.profile, found.file_layer, found.field, found.code, found.value, found.domain, found.street_id,
       ST_AsBinary(ST_PointOnSurface(found.geom))
FROM (
    SELECT 'patches' AS layer, 'dltb' AS profile, NULL AS file_layer, told.field, p.bsm AS code, told.value,
           told.domain, p.street_id, p.geom
    FROM units_landusepatch p
    CROSS JOIN LATERAL (VALUES
        ('DLBM', p.dlbm, p.scheme,
            p.scheme = 'sandiao' AND NOT p.dlbm = ANY (%(classes)s)),
        ('QSXZ', p.qsxz, 'QSXZ', NOT p.qsxz = ANY (%(qsxz)s)),
        ('CZCSXM', p.czcsxm, 'CZCSXM', NOT p.czcsxm = ANY (%(czcsxm)s)),
        ('MSSM', p.mssm, 'MSSM', NOT p.mssm = ANY (%(mssm)s))) AS told (field, value, domain, wrong)
    WHERE p.survey_id = %(survey)s AND told.value <> '' AND told.wrong
    UNION ALL
    SELECT 'parcels', 'zd', NULL, told.field, p.code, told.value, told.field, p.street_id, p.geom
    FROM units_parcel p
    CROSS JOIN LATERAL (VALUES
        ('QLLX', p.right_type, NOT p.right_type = ANY (%(qllx)s)),
        ('QLXZ', p.right_nature, NOT p.right_nature = ANY (%(qlxz)s))) AS told (field, value, wrong)
    WHERE p.survey_id = %(survey)s AND told.value <> '' AND told.wrong
    UNION ALL
    SELECT 'legacy', 'legacy', NULL, 'QSXZ', l.code, l.ownership, 'QSXZ', l.street_id, l.geom
    FROM units_legacyland l
    WHERE l.district_id = %(district)s AND l.ownership <> '' AND NOT l.ownership = ANY (%(qsxz)s)
    UNION ALL
    SELECT 'control-areas', 'control', d.layer, 'YT', c.code, c.use, c.use_scheme, NULL, c.geom
    FROM units_controlarea c
    LEFT JOIN units_delivery d ON d.id = c.delivery_id
    WHERE c.district_id = %(district)s AND c.in_force AND c.use <> '' AND c.use_scheme = 'ydyh2023'
      AND NOT c.use = ANY (%(planned)s)
) found
WHERE found.layer = %(layer)s
ORDER BY found.field, found.code COLLATE "C"
