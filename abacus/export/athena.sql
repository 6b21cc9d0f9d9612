WITH elements AS (
    -- An export is named by its folder below rows/.
    SELECT item.experiment.s AS experiment, item.visitor.s AS visitor, element,
        row_number() OVER (
            PARTITION BY item.experiment.s, item.visitor.s, split_part(element, '|', 5) ORDER BY element
        ) AS copy
    FROM participants
    CROSS JOIN UNNEST(item.counted.ss) AS t (element)
    WHERE exported = '$exported'
),
-- Of several contents under one id the least string is the event (chalicelib/storage/event_encoding.py).
fields AS (
    SELECT experiment, visitor, split_part(element, '|', 1) AS code, split_part(element, '|', 2) AS variant,
        CAST(split_part(element, '|', 3) AS integer) AS phase, CAST(split_part(element, '|', 4) AS bigint) AS at_ms,
        split_part(element, '|', 5) AS id, COALESCE(split_part(element, '|', 6), '') AS marks,
        COALESCE(split_part(element, '|', 7), '') AS amount, NULLIF(split_part(element, '|', 8), '') AS segments
    FROM elements
    WHERE copy = 1
),
events AS (
    SELECT experiment, visitor, row_number() OVER (PARTITION BY experiment, visitor ORDER BY at_ms, id) AS n,
        CASE lower(substr(code, 1, 1)) WHEN 'i' THEN 'impression' WHEN 'c' THEN 'click' ELSE 'goal' END AS type,
        CASE WHEN strpos(code, ':') > 0 THEN substr(code, strpos(code, ':') + 1) END AS goal,
        variant, phase, at_ms, segments, strpos(marks, 'b') > 0 AS bot,
        CASE WHEN lower(substr(code, 1, 1)) = 'i' AND strpos(amount, '^') > 0
            THEN CAST(substr(amount, strpos(amount, '^') + 1) AS bigint) END AS window_s,
        substr(code, 1, 1) <> lower(substr(code, 1, 1)) AS by_sender, true AS counted
    FROM fields
),
