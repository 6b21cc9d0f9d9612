-- The valid events of each visitor in one line: what every named query begins with.
WITH asked AS (
    SELECT '$experiment' AS experiment, '$goal' AS goal
),
-- The newest event decides whether a visitor is a bot; single events of a bot do not count.
judged AS (
    SELECT e.*, last_value(bot) OVER (
        PARTITION BY e.experiment, visitor ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS is_bot
    FROM events e
    WHERE counted
),
-- A visitor counts once, or once in each variant where the sender assigned it.
human AS (
    SELECT j.*, CASE WHEN max(CASE WHEN by_sender THEN 1 ELSE 0 END)
        OVER (PARTITION BY j.experiment, visitor) = 1 THEN variant ELSE '' END AS part
    FROM judged j
    WHERE NOT bot AND NOT is_bot
),
-- The first impression decides variant, phase, day and segments.
placed AS (
    SELECT h.*, row_number() OVER (PARTITION BY h.experiment, visitor, part, type ORDER BY n) AS nth
    FROM human h
),
home AS (
    SELECT experiment, visitor, part, variant AS home_variant, phase AS home_phase, at_ms AS first_ms,
        window_s AS home_window_s, segments AS home_segments
    FROM placed
    WHERE type = 'impression' AND nth = 1
),
-- Nothing before the first impression, and no click or goal after the conversion window.
valid AS (
    SELECT h.experiment, h.visitor, h.part, home.home_variant AS variant, home.home_phase AS phase,
        CAST(DATE '1970-01-01' + INTERVAL '1' DAY * CAST(floor(home.first_ms / 86400000) AS integer) AS date) AS cohort,
        home.home_segments AS segments, h.n, h.type, h.goal
    FROM human h
    JOIN home ON home.experiment = h.experiment AND home.visitor = h.visitor AND home.part = h.part
    WHERE h.at_ms >= home.first_ms AND (
        h.type = 'impression' OR home.home_window_s IS NULL OR h.at_ms <= home.first_ms + home.home_window_s * 1000
    )
),
visitors AS (
    SELECT v.experiment, visitor, part, variant, phase, cohort, segments,
        sum(CASE WHEN type = 'impression' THEN 1 ELSE 0 END) AS impressions,
        sum(CASE WHEN type = 'click' THEN 1 ELSE 0 END) AS clicks,
        max(CASE WHEN v.goal = asked.goal OR (type = 'click' AND asked.goal = 'click') THEN 1 ELSE 0 END) AS converted
    FROM valid v
    CROSS JOIN asked
    GROUP BY v.experiment, visitor, part, variant, phase, cohort, segments
)
