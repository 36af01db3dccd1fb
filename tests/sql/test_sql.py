"""Reads exported Parquet files with DuckDB: the rows are those of `export`, and the views say what `report` says.

SEI_GITHUB is the program and SEI_DATA the copy. Athena cannot be had here: its statements are parsed as Trino's and
Hive's, and its views are translated and run on the same files.
"""

import json
import os
import re
import subprocess
import tempfile
import unittest
from datetime import datetime

import duckdb
import sqlglot

SEI = os.path.abspath(os.environ["SEI_GITHUB"])
DATA = os.path.abspath(os.environ["SEI_DATA"])
LOCATION = "s3://lake/copy"


def sei(*arguments):
    done = subprocess.run([SEI, *arguments], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: {done.stderr}")
    return done.stdout


def report(name, *arguments):
    return json.loads(sei("report", name, "--format", "json", "--data-dir", DATA, *arguments))


# Of reports of one time, the view.
TIMES = {"first-response": "first_response", "resolution": "resolution", "lead-time-to-production": "lead_time_to_production"}
ALL = ("--top", "1000000")
# Of reports that are tables, what is read and how the same is asked.
SHEETS = {
    "pr-collaboration": ("FROM pr_collaboration", ()),
    "pr-size": ("FROM pr_size", ()),
    "pr-comment-density": ("FROM pr_comment_density", ()),
    "commits": ("FROM commit_weeks ORDER BY week", ()),
    "committers": ("FROM committers ORDER BY commits DESC, author NULLS FIRST", ALL),
    "coding-days": ("FROM coding_days ORDER BY coding_days DESC, author NULLS FIRST", ALL),
    "rework": ("FROM rework", ()),
    "file-hotspots": ("FROM hotspots ORDER BY changes DESC, additions + deletions DESC, file, repo", ALL),
    "file-types": ("FROM file_types ORDER BY changes DESC, file_type", ALL),
    "breadth": ("FROM breadth ORDER BY file_types DESC, repositories DESC, changes DESC, author NULLS FIRST", ALL),
}


class Sql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.lake = os.path.join(cls.dir.name, "it's a lake")
        sei("export", "--all", "--format", "parquet", "--out", cls.lake, "--data-dir", DATA)
        with open(os.path.join(cls.lake, "views.sql")) as file:
            cls.sql = file.read()
        cls.entities = [line.split(": ")[0] for line in sei("export", "--list").splitlines()]
        cls.athena = sei("export", "--views", "athena", "--out", cls.lake, "--location", LOCATION)

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def connect(self, as_of=None):
        base = duckdb.connect()
        # Whoever sits elsewhere gets the same.
        base.execute("SET TimeZone = 'America/St_Johns'")
        base.execute(self.sql)
        self.at(base, as_of)
        return base

    def at(self, base, as_of):
        if as_of:
            base.execute(f"CREATE OR REPLACE VIEW report_time AS SELECT TIMESTAMP '{as_of[:19].replace('T', ' ')}' AS as_of")

    def rows(self, base, query):
        cursor = base.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]

    def moments(self):
        """Now, and moments at which much was under way."""
        base = self.connect()
        moved = base.execute('SELECT "at" FROM stage_transitions ORDER BY 1').fetchall()
        made = base.execute("SELECT merged_at FROM pull_requests WHERE merged_at IS NOT NULL ORDER BY 1").fetchall()
        some = [list_[len(list_) * part // 4][0] for list_ in (moved, made) for part in (1, 3)]
        return [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in some] + ["2100-01-01T00:00:00Z"]

    def statements(self):
        """Tables and views for Athena, which takes one statement at a time."""
        texts = [text for text in re.split(r";\n", self.athena) if text.strip()]
        all_ = [sqlglot.parse_one(text, dialect="athena") for text in texts]
        made = [one for one in all_ if isinstance(one, sqlglot.exp.Create)]
        self.assertEqual(len(all_), len(made) + len(self.entities))
        return [one for one in made if one.kind == "TABLE"], [one for one in made if one.kind == "VIEW"]

    def test_every_row_and_value_is_as_export_has_it(self):
        base = self.connect()
        for entity in self.entities:
            with self.subTest(entity):
                told = [json.loads(line) for line in sei("export", entity, "--data-dir", DATA).splitlines()]
                schema = json.loads(sei("export", entity, "--schema"))
                kinds = schema["properties"]
                read = self.rows(base, f"FROM {entity}")
                for row in read:
                    self.assertEqual(list(row), schema["required"])
                    for name, value in row.items():
                        if value is not None and "object" in kinds[name]["type"]:
                            row[name] = json.loads(value)
                for row in told:
                    for name, value in row.items():
                        if value is not None and kinds[name].get("format") == "date-time":
                            row[name] = datetime.fromisoformat(value).replace(tzinfo=None)
                order = lambda row: json.dumps(row, sort_keys=True, default=str)
                self.assertEqual(sorted(map(order, read)), sorted(map(order, told)))
        full = [entity for entity in self.entities if base.execute(f"SELECT count(*) FROM {entity}").fetchone()[0] > 0]
        self.assertGreater(len(full), 20, "the copy has too little to tell anything")

    def compare(self, base, as_of):
        told = report("issue-stages", "--as-of", as_of)
        read = self.rows(base, "FROM issue_stages ORDER BY place, stage")
        self.assertEqual([row["stage"] for row in read], [group["name"] for group in told["groups"]])
        for row, group in zip(read, told["groups"]):
            for measure in ("sum_of_intervals", "max_end_minus_min_start"):
                figures = group[measure]
                self.assertEqual(row["count"], figures["count"])
                for figure in ("mean", "median", "p90", "p95", "total"):
                    self.assertEqual(row[f"{measure}_{figure}_seconds"], figures[figure], (group["name"], measure, figure))
                self.assertEqual(row[f"{measure}_distribution"], figures["distribution"])
            self.assertEqual((row["open"], row["oldest_open_seconds"]), (group["open"]["count"], group["open"]["oldest"]))
        counted = len(read)

        told = report("pr-cycle", "--as-of", as_of)
        read = self.rows(base, "FROM pr_cycle ORDER BY place")
        steps = [(group, step) for group in told["groups"] for step in group["steps"]]
        self.assertEqual([row["step"] for row in read], [step["step"] for _, step in steps])
        for row, (group, step) in zip(read, steps):
            figures = step["time"]
            self.assertEqual(row["count"], figures["count"])
            for figure in ("mean", "median", "p90", "p95", "total"):
                self.assertEqual(row[f"{figure}_seconds"], figures[figure], (step["step"], figure))
            self.assertEqual(row["distribution"], figures["distribution"])
            for name in ("good", "acceptable", "slow", "grade"):
                self.assertEqual(row[name], step[name], (step["step"], name))
            self.assertEqual((row["merged"], row["open"], row["oldest_open_seconds"]), (group["merged"], group["open"], group["oldest"]))
        counted += len(read)

        # Of one time: a row for all.
        for name, view in TIMES.items():
            told = report(name, "--as-of", as_of)
            read = self.rows(base, f"FROM {view}")
            self.assertEqual(len(read), len(told["groups"]), name)
            for row, group in zip(read, told["groups"]):
                figures = group["time"]
                for figure in ("mean", "median", "p90", "p95", "total"):
                    self.assertEqual(row[f"{figure}_seconds"], figures[figure], (name, figure))
                self.assertEqual((row["count"], row["distribution"]), (figures["count"], figures["distribution"]), name)
                self.assertEqual((row["open"], row["oldest_open_seconds"]), (group["open"], group["oldest"]), name)
            counted += len(read)

        # Tables: the view's columns are the report's, but for the name of the one group.
        for name, (query, arguments) in SHEETS.items():
            told = report(name, "--as-of", as_of, *arguments)["rows"]
            read = self.rows(base, query)
            for row in read:
                for column, value in row.items():
                    if isinstance(value, datetime):
                        row[column] = value.strftime("%Y-%m-%dT%H:%M:%SZ")
            # What a group is, the view says by its column's name; of one group it says nothing.
            for row in told if read else ():
                if "group" in row:
                    group, named = row.pop("group"), [column for column in ("week", "author") if column in read[0]]
                    row.update({column: group for column in named})
            self.assertEqual(read, told, name)
            counted += len(read)
        return counted

    def test_views_say_what_reports_say_to_the_digit(self):
        for as_of in self.moments():
            with self.subTest(as_of):
                self.assertGreater(self.compare(self.connect(as_of), as_of), 10)

    def test_every_report_has_a_view_that_is_compared(self):
        listed = re.findall(r"^  ([a-z][a-z-]+) ", sei("report", "--help").split("Commands:")[1].split("Options:")[0], re.MULTILINE)
        self.assertEqual(set(listed) - {"help"}, {"issue-stages", "pr-cycle", *TIMES, *SHEETS})

    def test_athenas_statements_parse_and_its_views_say_the_same_translated(self):
        tables, views = self.statements()
        self.assertEqual([table.find(sqlglot.exp.Table).name for table in tables], self.entities)
        for entity in self.entities:
            self.assertIn(f"'storage.location.template' = '{LOCATION}/{entity}/bucket=${{bucket}}/'", self.athena)
        # As DuckDB's, these are the statements that make a view of a report.
        of_reports = self.sql[self.sql.index("CREATE OR REPLACE VIEW report_time"):]
        self.assertEqual(len(views), len(re.findall("^CREATE OR REPLACE VIEW", of_reports, re.MULTILINE)))
        for as_of in self.moments()[::2]:
            with self.subTest(as_of):
                base = self.connect()
                for view in views:
                    base.execute(view.sql(dialect="duckdb"))
                    if view.find(sqlglot.exp.Table).name == "report_time":
                        self.at(base, as_of)
                self.compare(base, as_of)

    def test_time_in_the_archive_is_in_no_stage_and_a_card_that_comes_back_is_one(self):
        base = self.connect("2026-01-31T00:00:00Z")
        # Archived on the 5th and moved there; restored on the 9th; off the board from the 12th to the 14th, as another item.
        moves = [("added", None, 1), ("moved", "todo", 1), ("archived", None, 5), ("moved", "doing", 7), ("restored", "doing", 9),
                 ("removed", None, 12), ("added", None, 14), ("moved", "done", 20)]
        rows = []
        for place, (what, to, day) in enumerate(moves):
            item, stage = "I" if day < 14 else "J", f"'{to}'" if to else "NULL"
            rows.append(f"(7, 'P', '{item}', 'acme/shop', 1, 'issue', {place}, '{what}', {stage}, TIMESTAMP '2026-01-{day:02} 00:00:00')")
        names = 'project, project_node_id, item, repo, number, type, place, what, "to", "at"'
        base.execute(f"CREATE OR REPLACE VIEW stage_transitions AS SELECT * FROM (VALUES {', '.join(rows)}) AS v ({names})")
        read = base.execute("SELECT stage, day(started_at), day(ended_at), seconds FROM issue_stage_stays ORDER BY started_at").fetchall()
        day = 86400
        self.assertEqual(read, [("todo", 1, 5, 4 * day), ("doing", 9, 12, 3 * day), (None, 14, 20, 6 * day), ("done", 20, None, 11 * day)])
        self.assertEqual(base.execute("SELECT count(DISTINCT card) FROM issue_stage_stays").fetchone(), (1,))

    def test_the_readmes_question_has_an_answer(self):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "README.md")) as file:
            [query] = re.findall(r"duckdb\.sql\('(.+)'\)", file.read())
        read = self.rows(self.connect(), query)
        told = report("issue-stages")["groups"]
        self.assertEqual([(row["stage"], row["count"]) for row in read], [(group["name"], group["sum_of_intervals"]["count"]) for group in told])

    def test_a_reader_in_the_middle_of_an_export_sees_each_row_once(self):
        counts = lambda: [self.connect().execute(f"SELECT count(*) FROM {entity}").fetchone()[0] for entity in self.entities]
        before = counts()
        left = os.path.join(self.lake, "issues", "bucket=00", "rows.unfinished")
        # What a killed export leaves behind.
        with open(left, "wb") as file:
            file.write(b"PAR1 half a file")
        self.assertEqual(counts(), before)
        sei("export", "--all", "--format", "parquet", "--out", self.lake, "--data-dir", DATA)
        self.assertEqual(counts(), before)
        self.assertFalse(os.path.exists(left))


if __name__ == "__main__":
    unittest.main()
