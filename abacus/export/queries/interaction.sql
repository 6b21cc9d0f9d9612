-- Visitors of two experiments: the rate of the goal in the first, by both variants. Without an interaction the
-- lift of the first is the same in every variant of the second.
$visitors
SELECT v.variant AS variant, other.variant AS other_variant, count(*) AS visitors, sum(v.converted) AS converted,
    CAST(sum(v.converted) AS double) / count(*) AS rate
FROM visitors v
JOIN asked ON asked.experiment = v.experiment
JOIN visitors other ON other.visitor = v.visitor AND other.experiment = '$other'
GROUP BY v.variant, other.variant
ORDER BY v.variant, other.variant
