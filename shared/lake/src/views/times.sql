-- First response. Each issue that no app or bot made, and when another first commented on it.
CREATE OR REPLACE VIEW first_responses AS
WITH bots AS (SELECT login FROM users WHERE is_bot AND login IS NOT NULL),
asked AS (
    SELECT i.repo, i.number, i.author, i.labels, i.assignees, i.milestone, i.created_at, r.as_of,
        CASE WHEN i.closed_at <= r.as_of THEN i.closed_at END AS closed_at
    FROM issues i
    CROSS JOIN report_time r
    WHERE i.created_at <= r.as_of AND (i.author IS NULL OR i.author NOT IN (SELECT login FROM bots))
),
answers AS (
    SELECT i.repo, i.number, min(c.created_at) AS answered_at
    FROM asked i
    JOIN issue_comments c ON c.repo = i.repo AND c.number = i.number
    WHERE c.created_at <= i.as_of AND (c.author IS NULL OR i.author IS NULL OR c.author <> i.author)
        AND (c.author IS NULL OR c.author NOT IN (SELECT login FROM bots))
    GROUP BY i.repo, i.number
),
instants AS (
    SELECT i.*, CASE WHEN a.answered_at < i.created_at THEN i.created_at ELSE a.answered_at END AS answered_at
    FROM asked i
    LEFT JOIN answers a ON a.repo = i.repo AND a.number = i.number
)
SELECT i.*, answered_at IS NULL AND closed_at IS NULL AS is_open,
    CAST(floor(to_unixtime(answered_at)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT) AS seconds,
    CAST(floor(to_unixtime(as_of)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT) AS age_seconds
FROM instants i;

-- As `sei-github report first-response`.
CREATE OR REPLACE VIEW first_response AS
WITH ranked AS (
    SELECT t.*, count(seconds) OVER () AS n, row_number() OVER (ORDER BY seconds NULLS LAST) AS seconds_rank FROM first_responses t
)
SELECT {figures}, count_if(is_open) AS open, max(CASE WHEN is_open THEN age_seconds END) AS oldest_open_seconds
FROM ranked
HAVING count_if(is_open) + count(seconds) > 0;

-- Resolution. Each issue that no app or bot made, and how long it took until it was closed, the last time.
CREATE OR REPLACE VIEW resolutions AS
WITH made AS (
    SELECT i.repo, i.number, i.author, i.labels, i.assignees, i.milestone, i.created_at, r.as_of,
        CASE WHEN i.closed_at <= r.as_of THEN i.closed_at END AS closed_at
    FROM issues i
    CROSS JOIN report_time r
    WHERE i.created_at <= r.as_of AND (i.author IS NULL OR i.author NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL))
)
SELECT i.*, closed_at IS NULL AS is_open,
    CASE WHEN closed_at < created_at THEN 0 ELSE CAST(floor(to_unixtime(closed_at)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT) END AS seconds,
    CAST(floor(to_unixtime(as_of)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT) AS age_seconds
FROM made i;

-- As `sei-github report resolution`.
CREATE OR REPLACE VIEW resolution AS
WITH ranked AS (
    SELECT t.*, count(seconds) OVER () AS n, row_number() OVER (ORDER BY seconds NULLS LAST) AS seconds_rank FROM resolutions t
)
SELECT {figures}, count_if(is_open) AS open, max(CASE WHEN is_open THEN age_seconds END) AS oldest_open_seconds
FROM ranked
HAVING count(*) > 0;
