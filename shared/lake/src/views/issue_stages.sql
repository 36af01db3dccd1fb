-- Issue time across stages. Each stay of a card (an item of a board) in a stage: the start is included, the end not.
CREATE OR REPLACE VIEW issue_stage_stays AS
WITH moves AS (
    SELECT t.*, coalesce(t.repo || '#' || CAST(t.number AS VARCHAR), t.item) AS card
    FROM stage_transitions t
),
placed AS (
    SELECT m.*,
        lead(m."at") OVER (PARTITION BY m.project_node_id, m.card ORDER BY m.place) AS next_at,
        -- Of what came before, moves aside, the last and the last that archived it.
        max(CASE WHEN m.what <> 'moved' THEN m.place END)
            OVER (PARTITION BY m.project_node_id, m.card ORDER BY m.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_other,
        max(CASE WHEN m.what = 'archived' THEN m.place END)
            OVER (PARTITION BY m.project_node_id, m.card ORDER BY m.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_archived
    FROM moves m
),
cards AS (
    SELECT m.project_node_id, m.card, max(m.repo) AS repo, max(m.number) AS number, max(m.type) AS type, min(m."at") AS first_at,
        max_by(m.item, m.place) AS item, max(m.project) AS project
    FROM moves m
    GROUP BY m.project_node_id, m.card
),
contents AS (
    SELECT repo, number, 'issue' AS type, author, created_at, closed_at FROM issues
    UNION ALL
    SELECT repo, number, 'pull_request' AS type, author, created_at, closed_at FROM pull_requests
),
known AS (
    SELECT c.project_node_id, c.card, c.repo, c.number,
        coalesce(p.title, 'project ' || CAST(c.project AS VARCHAR)) AS project,
        CASE WHEN c.type IN ('issue', 'pull_request', 'draft_issue') THEN c.type ELSE x.type END AS type,
        CASE WHEN x.type IS NULL THEN i.creator ELSE x.author END AS creator,
        coalesce(CASE WHEN x.type IS NULL THEN i.created_at ELSE x.created_at END, c.first_at) AS created_at,
        x.closed_at
    FROM cards c
    LEFT JOIN projects p ON p.node_id = c.project_node_id
    LEFT JOIN project_items i ON i.project_node_id = c.project_node_id AND i.node_id = c.item
    LEFT JOIN contents x ON x.repo = c.repo AND x.number = c.number
)
SELECT k.project, k.project_node_id, k.card, k.type, k.repo, k.number, k.creator, k.created_at,
    CASE WHEN k.closed_at <= r.as_of THEN k.closed_at END AS closed_at,
    s."to" AS stage, s."at" AS started_at,
    CASE WHEN s.next_at <= r.as_of THEN s.next_at END AS ended_at,
    CAST(floor(to_unixtime(CASE WHEN s.next_at <= r.as_of THEN s.next_at ELSE r.as_of END)) AS BIGINT) - CAST(floor(to_unixtime(s."at")) AS BIGINT) AS seconds,
    r.as_of
FROM placed s
JOIN known k ON k.project_node_id = s.project_node_id AND k.card = s.card
CROSS JOIN report_time r
WHERE (s.what IN ('added', 'restored') OR s.what = 'moved' AND (s.last_archived IS NULL OR s.last_archived < s.last_other))
    -- A card is put on the board and into a stage at once: that is no stay in no stage.
    AND (s."to" IS NOT NULL OR s.next_at IS NULL OR s.next_at <> s."at")
    AND s."at" <= r.as_of AND k.created_at <= r.as_of;

-- As `sei-github report issue-stages`, per stage: the stays summed up beside what SEI computes, from the first start to the last end.
CREATE OR REPLACE VIEW issue_stages AS
WITH stays AS (
    SELECT s.*, row_number() OVER (PARTITION BY project_node_id, card ORDER BY started_at, ended_at NULLS LAST) AS place
    FROM issue_stage_stays s
    WHERE type = 'issue'
),
parts AS (
    SELECT project_node_id, card, stage, sum(seconds) AS summed, min(place) AS first_place,
        max(CAST(floor(to_unixtime(coalesce(ended_at, as_of))) AS BIGINT)) - min(CAST(floor(to_unixtime(started_at)) AS BIGINT)) AS span,
        count_if(ended_at IS NULL AND closed_at IS NULL) AS waiting,
        max(CAST(floor(to_unixtime(as_of)) AS BIGINT) - CAST(floor(to_unixtime(created_at)) AS BIGINT)) AS age
    FROM stays
    GROUP BY project_node_id, card, stage
),
ranked AS (
    SELECT p.*,
        count(*) OVER (PARTITION BY stage) AS n,
        row_number() OVER (PARTITION BY stage ORDER BY summed) AS summed_rank,
        row_number() OVER (PARTITION BY stage ORDER BY span) AS span_rank,
        row_number() OVER (PARTITION BY project_node_id, card ORDER BY first_place) - 1 AS step,
        count(*) OVER (PARTITION BY project_node_id, card) - 1 AS steps
    FROM parts p
)
SELECT stage, count(*) AS count,
    CAST(floor((2 * sum(summed) + count(summed)) / (2e0 * count(summed))) AS BIGINT) AS sum_of_intervals_mean_seconds,
    max(CASE WHEN summed_rank = CAST(ceil(n * 50 / 1e2) AS BIGINT) THEN summed END) AS sum_of_intervals_median_seconds,
    max(CASE WHEN summed_rank = CAST(ceil(n * 90 / 1e2) AS BIGINT) THEN summed END) AS sum_of_intervals_p90_seconds,
    max(CASE WHEN summed_rank = CAST(ceil(n * 95 / 1e2) AS BIGINT) THEN summed END) AS sum_of_intervals_p95_seconds,
    CAST(coalesce(sum(summed), 0) AS BIGINT) AS sum_of_intervals_total_seconds,
    ARRAY[
        count_if(summed < 3600),
        count_if(summed >= 3600 AND summed < 14400),
        count_if(summed >= 14400 AND summed < 43200),
        count_if(summed >= 43200 AND summed < 86400),
        count_if(summed >= 86400 AND summed < 172800),
        count_if(summed >= 172800 AND summed < 345600),
        count_if(summed >= 345600 AND summed < 604800),
        count_if(summed >= 604800 AND summed < 1209600),
        count_if(summed >= 1209600 AND summed < 2419200),
        count_if(summed >= 2419200 AND summed < 4838400),
        count_if(summed >= 4838400 AND summed < 14515200),
        count_if(summed >= 14515200)
    ] AS sum_of_intervals_distribution,
    CAST(floor((2 * sum(span) + count(span)) / (2e0 * count(span))) AS BIGINT) AS max_end_minus_min_start_mean_seconds,
    max(CASE WHEN span_rank = CAST(ceil(n * 50 / 1e2) AS BIGINT) THEN span END) AS max_end_minus_min_start_median_seconds,
    max(CASE WHEN span_rank = CAST(ceil(n * 90 / 1e2) AS BIGINT) THEN span END) AS max_end_minus_min_start_p90_seconds,
    max(CASE WHEN span_rank = CAST(ceil(n * 95 / 1e2) AS BIGINT) THEN span END) AS max_end_minus_min_start_p95_seconds,
    CAST(coalesce(sum(span), 0) AS BIGINT) AS max_end_minus_min_start_total_seconds,
    ARRAY[
        count_if(span < 3600),
        count_if(span >= 3600 AND span < 14400),
        count_if(span >= 14400 AND span < 43200),
        count_if(span >= 43200 AND span < 86400),
        count_if(span >= 86400 AND span < 172800),
        count_if(span >= 172800 AND span < 345600),
        count_if(span >= 345600 AND span < 604800),
        count_if(span >= 604800 AND span < 1209600),
        count_if(span >= 1209600 AND span < 2419200),
        count_if(span >= 2419200 AND span < 4838400),
        count_if(span >= 4838400 AND span < 14515200),
        count_if(span >= 14515200)
    ] AS max_end_minus_min_start_distribution,
    count_if(waiting > 0) AS open,
    max(CASE WHEN waiting > 0 THEN age END) AS oldest_open_seconds,
    -- Where items pass through it, from 0 (first) to 1 (last): order by this.
    avg(CASE WHEN steps = 0 THEN 0e0 ELSE step / (1e0 * steps) END) AS place
FROM ranked
GROUP BY stage;
