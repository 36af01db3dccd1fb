-- Rework and hotspots. Each change of a file by a commit, without merges, apps and bots.
CREATE OR REPLACE VIEW file_changes AS
SELECT f.repo, f.sha, f.path, coalesce(c.author_login, c.author_email) AS author, f.committed_at, f.previous_committed_at,
    coalesce(f.additions, 0) AS additions, coalesce(f.deletions, 0) AS deletions,
    coalesce(f.additions, 0) + coalesce(f.deletions, 0) AS lines,
    CASE
        WHEN f.previous_committed_at IS NULL THEN 'new'
        WHEN f.committed_at < f.previous_committed_at + INTERVAL '30' DAY THEN 'refactored'
        ELSE 'legacy'
    END AS kind
FROM commit_files f
JOIN commits c ON c.repo = f.repo AND c.sha = f.sha
CROSS JOIN report_time r
WHERE cardinality(c.parents) < 2 AND f.path IS NOT NULL AND f.committed_at <= r.as_of
    AND (coalesce(c.author_login, c.author_email) IS NULL
        OR coalesce(c.author_login, c.author_email) NOT IN (SELECT login FROM users WHERE is_bot AND login IS NOT NULL));

-- As `sei-github report rework`: shares are in ten-thousandths, halves up.
CREATE OR REPLACE VIEW rework AS
WITH kinds AS (
    SELECT CAST(sum(lines) AS BIGINT) AS changed_lines,
        CAST(sum(CASE WHEN kind = 'new' THEN lines ELSE 0 END) AS BIGINT) AS new,
        CAST(sum(CASE WHEN kind = 'refactored' THEN lines ELSE 0 END) AS BIGINT) AS refactored,
        CAST(sum(CASE WHEN kind = 'legacy' THEN lines ELSE 0 END) AS BIGINT) AS legacy,
        count(*) AS changed_files
    FROM file_changes
    HAVING count(*) > 0
)
SELECT changed_lines, new, refactored, legacy,
    floor(CAST(20000 * new + changed_lines AS DOUBLE) / nullif(2 * changed_lines, 0)) / 10000 AS new_share,
    floor(CAST(20000 * refactored + changed_lines AS DOUBLE) / nullif(2 * changed_lines, 0)) / 10000 AS refactored_share,
    floor(CAST(20000 * legacy + changed_lines AS DOUBLE) / nullif(2 * changed_lines, 0)) / 10000 AS legacy_share,
    changed_files
FROM kinds;

-- As `sei-github report hotspots`, all of them: ORDER BY changes DESC, additions + deletions DESC, file, repo.
CREATE OR REPLACE VIEW hotspots AS
SELECT path AS file, repo, count(*) AS changes, CAST(sum(additions) AS BIGINT) AS additions, CAST(sum(deletions) AS BIGINT) AS deletions,
    count(DISTINCT author) AS authors, max(committed_at) AS last_changed_at
FROM file_changes
GROUP BY repo, path;

-- File types and breadth: the changes with the kind of their file, which is the end of its name.
CREATE OR REPLACE VIEW typed_changes AS
SELECT c.*, CASE WHEN regexp_like(path, '[^/]\.[^./]*$') THEN lower(regexp_extract(path, '[^/]\.([^./]*)$', 1)) ELSE 'none' END AS file_type
FROM file_changes c;

-- As `sei-github report file-types`, all of them: ORDER BY changes DESC, file_type.
CREATE OR REPLACE VIEW file_types AS
WITH types AS (
    SELECT file_type, count(*) AS changes, CAST(sum(additions) AS BIGINT) AS additions, CAST(sum(deletions) AS BIGINT) AS deletions,
        count(DISTINCT repo || ' ' || path) AS files, count(DISTINCT author) AS authors
    FROM typed_changes
    GROUP BY file_type
),
whole AS (SELECT count(*) AS n FROM typed_changes)
SELECT file_type, changes, floor(CAST(20000 * changes + n AS DOUBLE) / nullif(2 * n, 0)) / 10000 AS changes_share, additions, deletions, files, authors
FROM types
CROSS JOIN whole;

-- As `sei-github report breadth`, all of them: ORDER BY file_types DESC, repositories DESC, changes DESC, author.
CREATE OR REPLACE VIEW breadth AS
WITH kinds AS (
    SELECT author, file_type, count(*) AS changes, row_number() OVER (PARTITION BY author ORDER BY count(*) DESC, file_type) AS place
    FROM typed_changes
    GROUP BY author, file_type
),
people AS (
    SELECT author, count(DISTINCT file_type) AS file_types, count(DISTINCT repo) AS repositories, count(*) AS changes
    FROM typed_changes
    GROUP BY author
)
SELECT p.author, p.file_types, p.repositories, p.changes, k.file_type AS main_file_type
FROM people p
JOIN kinds k ON k.place = 1 AND (k.author = p.author OR (k.author IS NULL AND p.author IS NULL));
