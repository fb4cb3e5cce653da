-- Which deliveries of firms told penalties, so that a firm without one was not fined?
SELECT d.id
FROM units_delivery d
WHERE d.district_id = %(district)s AND d.profile = 'enterprise'
  AND (d.settings -> 'further' ?| ARRAY['处罚文号', '处罚机关', '处罚日期']
       OR EXISTS (SELECT FROM units_enterprise e
                  WHERE e.delivery_id = d.id AND e.extra ?| ARRAY['处罚文号', '处罚机关', '处罚日期']))
ORDER BY d.id
