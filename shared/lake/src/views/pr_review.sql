-- Collaboration and comment density. Each merged pull request that no app or bot made: who approved it, and what was said.
CREATE OR REPLACE VIEW pr_reviewed AS
WITH bots AS (SELECT login FROM users WHERE is_bot AND login IS NOT NULL),
merged AS (
    SELECT p.repo, p.number, p.author, p.labels, p.assignees, p.milestone, p.created_at, p.merged_at, p.merged_by, coalesce(p.changed_files, 0) AS changed_files
    FROM pull_requests p
    CROSS JOIN report_time r
    WHERE p.created_at <= r.as_of AND p.merged_at <= r.as_of AND (p.author IS NULL OR p.author NOT IN (SELECT login FROM bots))
),
spoken AS (
    SELECT repo, pull_request AS number, author, submitted_at AS said_at, state = 'APPROVED' AS approves, 0 AS comment FROM reviews WHERE submitted_at IS NOT NULL
    UNION ALL
    SELECT repo, pull_request AS number, author, created_at AS said_at, false AS approves, 1 AS comment FROM review_comments
    UNION ALL
    SELECT repo, number, author, created_at AS said_at, false AS approves, 1 AS comment FROM issue_comments
),
heard AS (
    SELECT p.repo, p.number, p.merged_at, s.author, s.said_at, s.approves, s.comment,
        (s.author IS NULL OR p.author IS NULL OR s.author <> p.author) AND (s.author IS NULL OR s.author NOT IN (SELECT login FROM bots))
            AND s.said_at <= p.merged_at AS counts
    FROM merged p
    JOIN spoken s ON s.repo = p.repo AND s.number = p.number
),
requested AS (
    SELECT repo, pull_request AS number, reviewer AS login, requested_at FROM review_requests WHERE reviewer IS NOT NULL
    UNION ALL
    SELECT q.repo, q.pull_request AS number, m.login, q.requested_at
    FROM review_requests q
    JOIN teams t ON t.slug = q.team
    CROSS JOIN UNNEST(t.members) AS m (login)
),
assigned AS (
    SELECT DISTINCT h.repo, h.number
    FROM heard h
    JOIN requested q ON q.repo = h.repo AND q.number = h.number AND q.login = h.author
    WHERE h.counts AND h.approves AND q.requested_at <= h.merged_at
),
said AS (
    SELECT repo, number, count_if(counts) AS words, count_if(counts AND approves) AS approvals,
        CAST(sum(CASE WHEN counts THEN comment ELSE 0 END) AS BIGINT) AS comments, CAST(sum(comment) AS BIGINT) AS sei_comments
    FROM heard
    GROUP BY repo, number
)
SELECT p.*, coalesce(s.comments, 0) AS comments, coalesce(s.sei_comments, 0) AS sei_comments,
    CASE
        WHEN a.number IS NOT NULL THEN 'assigned_peer'
        WHEN s.approvals > 0 THEN 'unassigned_peer'
        WHEN p.merged_by IS NULL OR p.author IS NULL OR p.merged_by <> p.author THEN 'unapproved'
        WHEN s.words > 0 THEN 'self_with_review'
        ELSE 'self_alone'
    END AS approved_by
FROM merged p
LEFT JOIN said s ON s.repo = p.repo AND s.number = p.number
LEFT JOIN assigned a ON a.repo = p.repo AND a.number = p.number;

-- As `sei-github report pr-collaboration`.
CREATE OR REPLACE VIEW pr_collaboration AS
WITH counts AS (
    SELECT count(*) AS merged, count_if(approved_by = 'assigned_peer') AS assigned_peer, count_if(approved_by = 'unassigned_peer') AS unassigned_peer,
        count_if(approved_by = 'self_with_review') AS self_with_review, count_if(approved_by = 'self_alone') AS self_alone,
        count_if(approved_by = 'unapproved') AS unapproved
    FROM pr_reviewed
    HAVING count(*) > 0
)
SELECT c.*,
    floor(CAST(20000 * assigned_peer + merged AS DOUBLE) / nullif(2 * merged, 0)) / 10000 AS assigned_peer_share,
    floor(CAST(20000 * (assigned_peer + unassigned_peer) + merged AS DOUBLE) / nullif(2 * merged, 0)) / 10000 AS approved_share
FROM counts c;

-- As `sei-github report pr-comment-density`.
CREATE OR REPLACE VIEW pr_comment_density AS
WITH counts AS (
    SELECT count(*) AS merged, CAST(sum(changed_files) AS BIGINT) AS changed_files, CAST(sum(comments) AS BIGINT) AS comments,
        count_if(comments = 0) AS without_comment, CAST(sum(sei_comments) AS BIGINT) AS sei_comments
    FROM pr_reviewed
    HAVING count(*) > 0
)
SELECT merged, changed_files, comments,
    floor(CAST(20000 * comments + changed_files AS DOUBLE) / nullif(2 * changed_files, 0)) / 10000 AS comments_per_file,
    without_comment,
    floor(CAST(20000 * without_comment + merged AS DOUBLE) / nullif(2 * merged, 0)) / 10000 AS without_comment_share,
    sei_comments,
    floor(CAST(20000 * sei_comments + changed_files AS DOUBLE) / nullif(2 * changed_files, 0)) / 10000 AS sei_comments_per_file
FROM counts;
