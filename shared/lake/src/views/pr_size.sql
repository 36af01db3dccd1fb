-- Pull request size. Each one that no app or bot made and whose size is known.
CREATE OR REPLACE VIEW pr_sizes AS
SELECT p.repo, p.number, p.author, p.labels, p.assignees, p.milestone, p.created_at,
    CASE WHEN p.merged_at <= r.as_of THEN p.merged_at END AS merged_at,
    p.additions + p.deletions AS lines, coalesce(p.changed_files, 0) AS changed_files,
    CASE WHEN p.additions + p.deletions < 100 THEN 'small' WHEN p.additions + p.deletions < 1000 THEN 'medium' ELSE 'large' END AS size
FROM pull_requests p
CROSS JOIN report_time r
WHERE p.created_at <= r.as_of AND p.additions IS NOT NULL AND p.deletions IS NOT NULL
    AND (p.author IS NULL OR p.author NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL));

-- As `sei-github report pr-size`.
CREATE OR REPLACE VIEW pr_size AS
WITH ranked AS (
    SELECT p.*, count(*) OVER () AS n, row_number() OVER (ORDER BY lines) AS place FROM pr_sizes p
),
counts AS (
    SELECT count(*) AS pull_requests, count_if(size = 'small') AS small, count_if(size = 'medium') AS medium, count_if(size = 'large') AS large,
        max(CASE WHEN place = CAST(ceil(n * 50 / 1e2) AS BIGINT) THEN lines END) AS median_lines,
        max(CASE WHEN place = CAST(ceil(n * 90 / 1e2) AS BIGINT) THEN lines END) AS p90_lines,
        CAST(sum(changed_files) AS BIGINT) AS changed_files
    FROM ranked
    HAVING count(*) > 0
)
SELECT pull_requests, small, medium, large,
    floor(CAST(20000 * small + pull_requests AS DOUBLE) / nullif(2 * pull_requests, 0)) / 10000 AS small_share,
    floor(CAST(20000 * large + pull_requests AS DOUBLE) / nullif(2 * pull_requests, 0)) / 10000 AS large_share,
    median_lines, p90_lines,
    floor(CAST(20000 * changed_files + pull_requests AS DOUBLE) / nullif(2 * pull_requests, 0)) / 10000 AS files_per_pull_request
FROM counts;
