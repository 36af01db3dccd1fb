-- Pull request cycle. The instants of each pull request, and the seconds of each step of which both ends are known.
CREATE OR REPLACE VIEW pr_cycle_pulls AS
WITH said AS (
    SELECT repo, pull_request AS number, author, submitted_at AS said_at, state = 'APPROVED' AS approves FROM reviews
    UNION ALL
    SELECT repo, pull_request AS number, author, created_at AS said_at, false AS approves FROM review_comments
    UNION ALL
    SELECT repo, number, author, created_at AS said_at, false AS approves FROM issue_comments
),
pulls AS (
    SELECT p.repo, p.number, p.author, p.labels, p.assignees, p.milestone, p.created_at, p.closed_at, r.as_of,
        CASE WHEN p.merged_at <= r.as_of THEN p.merged_at END AS merged_at,
        CASE WHEN p.first_commit_at < p.created_at THEN p.first_commit_at ELSE p.created_at END AS began_at
    FROM pull_requests p
    CROSS JOIN report_time r
    WHERE p.created_at <= r.as_of
        AND (p.author IS NULL OR p.author NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL))
),
answers AS (
    SELECT p.repo, p.number, min(s.said_at) AS responded_at, min(CASE WHEN s.approves THEN s.said_at END) AS approved_at
    FROM pulls p
    JOIN said s ON s.repo = p.repo AND s.number = p.number
    -- What is said after the merge counts for nothing, nor what authors say themselves, nor apps and bots.
    WHERE s.said_at <= coalesce(p.merged_at, p.as_of)
        AND (s.author IS NULL OR p.author IS NULL OR s.author <> p.author)
        AND (s.author IS NULL OR s.author NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL))
    GROUP BY p.repo, p.number
),
instants AS (
    SELECT p.*,
        CASE WHEN a.responded_at < p.created_at THEN p.created_at ELSE a.responded_at END AS responded_at,
        CASE WHEN a.approved_at < p.created_at THEN p.created_at ELSE a.approved_at END AS approved_at
    FROM pulls p
    LEFT JOIN answers a ON a.repo = p.repo AND a.number = p.number
)
SELECT repo, number, author, labels, assignees, milestone, began_at, created_at, responded_at, approved_at, merged_at, as_of,
    merged_at IS NULL AND (closed_at IS NULL OR closed_at > as_of) AS is_open,
    CAST(floor(to_unixtime(created_at)) AS BIGINT) - CAST(floor(to_unixtime(began_at)) AS BIGINT) AS coding_seconds,
    CAST(floor(to_unixtime(responded_at)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT) AS pickup_seconds,
    CAST(floor(to_unixtime(approved_at)) AS BIGINT) - CAST(floor(to_unixtime(responded_at)) AS BIGINT) AS review_seconds,
    CAST(floor(to_unixtime(merged_at)) AS BIGINT) - CAST(floor(to_unixtime(approved_at)) AS BIGINT) AS merge_seconds,
    CAST(floor(to_unixtime(merged_at)) AS BIGINT) - CAST(floor(to_unixtime(began_at)) AS BIGINT) AS total_seconds
FROM instants;

-- As `sei-github report pr-cycle`, per step.
CREATE OR REPLACE VIEW pr_cycle AS
WITH steps AS (
    SELECT * FROM (VALUES (1, 'coding', 86400, 345600), (2, 'pickup', 86400, 345600), (3, 'review', 86400, 345600), (4, 'merge', 86400, 345600), (5, 'total', 345600, 950400))
        AS v (place, step, good_until, acceptable_until)
),
times AS (
    SELECT s.place, s.step, s.good_until, s.acceptable_until,
        CASE s.step
            WHEN 'coding' THEN p.coding_seconds WHEN 'pickup' THEN p.pickup_seconds WHEN 'review' THEN p.review_seconds
            WHEN 'merge' THEN p.merge_seconds ELSE p.total_seconds
        END AS seconds
    FROM steps s
    -- The step stays, with nothing in it, where nothing was merged.
    LEFT JOIN pr_cycle_pulls p ON p.merged_at IS NOT NULL
),
ranked AS (
    SELECT t.*,
        count(seconds) OVER (PARTITION BY place) AS n,
        row_number() OVER (PARTITION BY place ORDER BY seconds NULLS LAST) AS seconds_rank
    FROM times t
),
figures AS (
    SELECT place, step, good_until, acceptable_until, {figures},
    count_if(seconds <= good_until) AS good,
    count_if(seconds > good_until AND seconds <= acceptable_until) AS acceptable,
    count_if(seconds > acceptable_until) AS slow
    FROM ranked
    GROUP BY place, step, good_until, acceptable_until
),
pulls AS (
    SELECT count_if(merged_at IS NOT NULL) AS merged, count_if(is_open) AS open,
        max(CASE WHEN is_open THEN CAST(floor(to_unixtime(as_of)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT) END) AS oldest_open_seconds
    FROM pr_cycle_pulls
)
SELECT f.*,
    CASE WHEN mean_seconds <= good_until THEN 'good' WHEN mean_seconds <= acceptable_until THEN 'acceptable' WHEN mean_seconds IS NOT NULL THEN 'slow' END AS grade,
    p.merged, p.open, p.oldest_open_seconds
FROM figures f
CROSS JOIN pulls p
WHERE p.merged + p.open > 0;
