-- What GET /stats says, counted again from the events: visitors, events and conversions of each variant.
$visitors
SELECT v.variant, v.phase, count(*) AS visitors, sum(impressions) AS impressions, sum(clicks) AS clicks,
    sum(converted) AS converted
FROM visitors v
JOIN asked ON asked.experiment = v.experiment
GROUP BY v.variant, v.phase
ORDER BY v.variant, v.phase
