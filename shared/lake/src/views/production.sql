-- Lead time to production. Each merged pull request against a default branch, and when a deployment to production of its own
-- commit, or of one that is not older than the merge, first succeeded.
CREATE OR REPLACE VIEW shipped_pulls AS
WITH succeeded AS (
    SELECT d.repo, d.sha,
        CAST(replace(replace(
            array_min(transform(filter(CAST(json_parse(d.statuses) AS ARRAY(MAP(VARCHAR, VARCHAR))), s -> s['state'] = 'success'), s -> s['created_at'])),
            'T', ' '), 'Z', '') AS TIMESTAMP) AS shipped_at
    FROM deployments d
    WHERE lower(d.environment) = 'production' OR lower(d.environment) LIKE '%/production'
),
shipments AS (
    SELECT s.repo, s.sha, s.shipped_at, c.committed_at
    FROM succeeded s
    LEFT JOIN commits c ON c.repo = s.repo AND c.sha = s.sha
    WHERE s.shipped_at IS NOT NULL
),
merged AS (
    SELECT p.repo, p.number, p.author, p.labels, p.assignees, p.milestone, p.created_at, p.merged_at, p.merge_commit_sha, r.as_of
    FROM pull_requests p
    JOIN repositories h ON h.full_name = p.repo AND h.default_branch = p.base_ref
    CROSS JOIN report_time r
    WHERE p.created_at <= r.as_of AND p.merged_at <= r.as_of
        AND (p.author IS NULL OR p.author NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL))
),
arrived AS (
    SELECT p.repo, p.number, min(s.shipped_at) AS shipped_at
    FROM merged p
    JOIN shipments s ON s.repo = p.repo AND s.shipped_at >= p.merged_at AND s.shipped_at <= p.as_of
        AND (s.sha = p.merge_commit_sha OR s.committed_at IS NULL OR s.committed_at >= p.merged_at)
    GROUP BY p.repo, p.number
)
SELECT p.*, a.shipped_at, a.shipped_at IS NULL AS is_open,
    CAST(floor(to_unixtime(a.shipped_at)) AS BIGINT) - CAST(floor(to_unixtime(p.merged_at)) AS BIGINT) AS seconds,
    CAST(floor(to_unixtime(p.as_of)) AS BIGINT) - CAST(floor(to_unixtime(p.merged_at)) AS BIGINT) AS age_seconds
FROM merged p
LEFT JOIN arrived a ON a.repo = p.repo AND a.number = p.number;

-- As `sei-github report lead-time-to-production`.
CREATE OR REPLACE VIEW lead_time_to_production AS
WITH ranked AS (
    SELECT t.*, count(seconds) OVER () AS n, row_number() OVER (ORDER BY seconds NULLS LAST) AS seconds_rank FROM shipped_pulls t
)
SELECT {figures}, count_if(is_open) AS open, max(CASE WHEN is_open THEN age_seconds END) AS oldest_open_seconds
FROM ranked
HAVING count(*) > 0;
