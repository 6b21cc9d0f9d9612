-- The rate of the goal by the values of a segment and by variant. Exploratory: it decides nothing.
$visitors
SELECT COALESCE(NULLIF(regexp_extract(segments, '(^|,)$segment=([^,]*)', 2), ''), '(none)') AS segment, v.variant,
    count(*) AS visitors, sum(converted) AS converted, CAST(sum(converted) AS double) / count(*) AS rate
FROM visitors v
JOIN asked ON asked.experiment = v.experiment
GROUP BY 1, v.variant
ORDER BY 1, v.variant
