-- From the impression over the click to each goal: how many visitors reached each step, by variant.
$visitors
SELECT v.variant, COALESCE(v.goal, v.type) AS step, count(DISTINCT concat(v.visitor, '/', v.part)) AS visitors,
    CAST(count(DISTINCT concat(v.visitor, '/', v.part)) AS double) / max(everybody.visitors) AS share
FROM valid v
JOIN asked ON asked.experiment = v.experiment
JOIN (
    SELECT experiment, variant, count(*) AS visitors FROM visitors GROUP BY experiment, variant
) everybody ON everybody.experiment = v.experiment AND everybody.variant = v.variant
GROUP BY v.variant, COALESCE(v.goal, v.type)
ORDER BY v.variant, 3 DESC, 2
