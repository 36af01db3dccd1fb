-- Coding days. Each day (of UTC) on which somebody made a commit of the default branch, or of a pull request against it.
CREATE OR REPLACE VIEW coded_days AS
SELECT repo, author, CAST(authored_at AS DATE) AS day FROM commits_counted
UNION
SELECT c.repo, coalesce(c.author, c.author_email) AS author, CAST(c.authored_at AS DATE) AS day
FROM pull_request_commits c
JOIN pull_requests p ON p.repo = c.repo AND p.number = c.pull_request
JOIN repositories h ON h.full_name = p.repo AND h.default_branch = p.base_ref
CROSS JOIN report_time r
WHERE c.authored_at IS NOT NULL AND c.committed_at <= r.as_of
    AND (c.message IS NULL OR (c.message NOT LIKE 'Merge branch %' AND c.message NOT LIKE 'Merge remote-tracking branch %'))
    AND (coalesce(c.author, c.author_email) IS NULL
        OR coalesce(c.author, c.author_email) NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL));

-- As `sei-github report coding-days`, all of them: ORDER BY coding_days DESC, author.
CREATE OR REPLACE VIEW coding_days AS
WITH weeks AS (
    -- Weeks begin on Monday, as 1970-01-05 did.
    SELECT d.*, CAST(floor((to_unixtime(CAST(day AS TIMESTAMP)) - 345600) / 604800) AS BIGINT) AS week FROM coded_days d
),
range AS (SELECT max(week) - min(week) + 1 AS periods FROM weeks),
people AS (SELECT author, count(DISTINCT day) AS coding_days FROM weeks GROUP BY author)
SELECT p.author, p.coding_days, 1 AS committers, g.periods,
    floor(CAST(20000 * p.coding_days + g.periods AS DOUBLE) / nullif(2 * g.periods, 0)) / 10000 AS days_per_period
FROM people p
CROSS JOIN range g;
