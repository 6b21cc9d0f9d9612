-- The share of each day's new visitors who reached the goal, by variant.
$visitors
SELECT cohort, v.variant, count(*) AS visitors, sum(converted) AS converted,
    CAST(sum(converted) AS double) / count(*) AS rate
FROM visitors v
JOIN asked ON asked.experiment = v.experiment
GROUP BY cohort, v.variant
ORDER BY cohort, v.variant
