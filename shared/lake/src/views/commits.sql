-- Commits and committers. Each commit of a default branch, without merges, apps and bots.
CREATE OR REPLACE VIEW commits_counted AS
SELECT c.repo, c.sha, coalesce(c.author_login, c.author_email) AS author, coalesce(c.authored_at, c.committed_at) AS authored_at, c.committed_at,
    coalesce(c.additions, 0) AS additions, coalesce(c.deletions, 0) AS deletions, coalesce(c.changed_files, 0) AS changed_files,
    CAST(year_of_week(c.committed_at) AS VARCHAR) || '-W' || lpad(CAST(week(c.committed_at) AS VARCHAR), 2, '0') AS week
FROM commits c
CROSS JOIN report_time r
WHERE c.committed_at <= r.as_of AND coalesce(c.on_default_branch, true) AND cardinality(c.parents) < 2
    AND (coalesce(c.author_login, c.author_email) IS NULL
        OR coalesce(c.author_login, c.author_email) NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL));

-- As `sei-github report commits`: ORDER BY week.
CREATE OR REPLACE VIEW commit_weeks AS
SELECT week, count(*) AS commits, count(DISTINCT author) AS authors, CAST(sum(additions) AS BIGINT) AS additions,
    CAST(sum(deletions) AS BIGINT) AS deletions, CAST(sum(changed_files) AS BIGINT) AS changed_files
FROM commits_counted
GROUP BY week;

-- As `sei-github report committers`, all of them: ORDER BY commits DESC, author.
CREATE OR REPLACE VIEW committers AS
SELECT author, count(*) AS commits, CAST(sum(additions) AS BIGINT) AS additions, CAST(sum(deletions) AS BIGINT) AS deletions,
    count(DISTINCT repo) AS repositories, min(committed_at) AS first_commit_at, max(committed_at) AS last_commit_at
FROM commits_counted
GROUP BY author;
