"""The tables, step by step. A step once released is never edited; a change is a new step, whose
name is also in `versions`.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from bot.store.sqlite.versions import MIGRATION_SET

steps = Migrations(MIGRATION_SET)


@steps(name="0001_questions")
def questions(db: Database) -> None:
    db.table("questions").create(
        {
            "delivery": str,
            "asked_at": str,
            "user": str,
            "channel": str,
            "command": str,
            "text": str,
            "via": str,
            "outcome": str,
            "took_ms": int,
        },
        pk="delivery",
        not_null={"delivery", "asked_at", "user", "channel", "command", "text", "via", "outcome"},
    )
    db.table("questions").create_index(["user", "asked_at"])


@steps(name="0002_answers")
def answers(db: Database) -> None:
    db.table("answers").create(
        {"ticket": str, "kept_at": str, "user": str, "channel": str, "text": str, "blocks": str},
        pk="ticket",
        not_null={"ticket", "kept_at", "user", "channel", "text", "blocks"},
    )


@steps(name="0003_budgets")
def budgets(db: Database) -> None:
    """Requests and bytes by limit, the quotas that vendors report, and what must not be tried before a
    time. Keys are fingerprints.
    """
    db.table("spends").create(
        {"id": int, "key": str, "at": str, "bytes": int, "settled": int},
        pk="id",
        not_null={"key", "at", "bytes", "settled"},
    )
    db.table("spends").create_index(["key", "at"])
    db.table("budgets").create(
        {
            "key": str,
            "asked_at": str,
            "answered_at": str,
            "resets_at": str,
            "requests": int,
            "bytes": int,
        },
        pk="key",
        not_null={"key", "asked_at", "answered_at", "resets_at"},
    )
    db.table("holds").create(
        {"key": str, "until": str, "why": str}, pk="key", not_null={"key", "until", "why"}
    )


@steps(name="0004_posts")
def posts(db: Database) -> None:
    """Schedules with the due time up to which they were handled, their runs, and messages on their way
    to Slack.
    """
    db.table("schedules").create(
        {"name": str, "definition": str, "seen_until": str},
        pk="name",
        not_null={"definition", "seen_until"},
    )
    db.table("runs").create(
        {"schedule": str, "due": str, "started_at": str, "ended_at": str, "outcome": str},
        pk=("schedule", "due"),
        not_null={"started_at"},
    )
    db.table("outbox").create(
        {
            "id": int,
            "key": str,
            "channel": str,
            "text": str,
            "blocks": str,
            "queued_at": str,
            "not_before": str,
            "state": str,
            "claimed_at": str,
            "attempts": int,
            "ts": str,
            "trouble": str,
        },
        pk="id",
        not_null={
            "key",
            "channel",
            "text",
            "blocks",
            "queued_at",
            "not_before",
            "state",
            "attempts",
        },
    )
    db.table("outbox").create_index(["key"], unique=True)
    db.table("outbox").create_index(["state", "channel"])


@steps(name="0005_subscriptions")
def subscriptions(db: Database) -> None:
    """Questions that people have asked on a schedule; ended ones are kept for the record."""
    db.table("subscriptions").create(
        {
            "number": int,
            "channel": str,
            "line": str,
            "cron": str,
            "said": str,
            "user": str,
            "made_at": str,
            "ended_at": str,
            "ended_by": str,
        },
        pk="number",
        not_null={"channel", "line", "cron", "said", "user", "made_at"},
    )


@steps(name="0006_alerts")
def alerts(db: Database) -> None:
    """State of each alert, and its notifications with their reasons."""
    db.table("alerts").create(
        {"name": str, "definition": str, "standing": str, "evaluated_at": str},
        pk="name",
        not_null={"definition", "standing", "evaluated_at"},
    )
    db.table("notices").create(
        {"alert": str, "at": str, "reason": str, "key": str},
        pk=("alert", "at", "reason"),
        not_null={"alert", "at", "reason"},
    )


@steps(name="0007_incidents")
def incidents(db: Database) -> None:
    """Posts in threads and edits of earlier ones; rules and silences made in chat; samples of alerts,
    by series.

    Earlier states are deleted: what fires is posted once more.
    """
    db.table("outbox").add_column("how", str, not_null_default="post")
    db.table("outbox").add_column("about", str)
    db.table("outbox").create_index(["about"])
    db.table("notices").add_column("ts", str)
    db.execute("DROP TABLE alerts")
    db.table("alerts").create(
        {
            "name": str,
            "definition": str,
            "state": str,
            "since": str,
            "value": float,
            "due": str,
            "watch": str,
        },
        pk="name",
        not_null={"definition", "state", "due", "watch"},
    )
    db.table("rules").create(
        {
            "number": int,
            "name": str,
            "command": str,
            "channel": str,
            "rule": str,
            "user": str,
            "made_at": str,
            "ended_at": str,
            "ended_by": str,
        },
        pk="number",
        not_null={"name", "command", "channel", "rule", "user", "made_at"},
    )
    db.table("silences").create(
        {
            "number": int,
            "alert": str,
            "start": str,
            "end": str,
            "comment": str,
            "user": str,
            "ended_at": str,
            "ended_by": str,
        },
        pk="number",
        not_null={"alert", "start", "end", "user"},
    )
    db.table("silences").create_index(["alert", "end"])
    db.table("series").create(
        {"id": int, "name": str, "definition": str}, pk="id", not_null={"name", "definition"}
    )
    db.table("series").create_index(["name", "definition"], unique=True)
    # Ordered by time in the file itself: what is sampled at the same time stands together, so that
    # writing it is appending, however much there is already, and forgetting what is old is one
    # range.
    db.execute(
        "CREATE TABLE samples (at TEXT NOT NULL, series INTEGER NOT NULL, value REAL, state TEXT "
        "NOT NULL, PRIMARY KEY (at, series)) "
        "WITHOUT ROWID"
    )


@steps(name="0008_shown")
def shown(db: Database) -> None:
    """The progress message of a question, so that it can be replaced after a crash."""
    db.table("questions").add_column("shown_ts", str)


@steps(name="0009_outbox_files")
def outbox_files(db: Database) -> None:
    """Files on their way to Slack; each is deleted once it was sent."""
    db.table("outbox_files").create({"key": str, "content": bytes}, pk="key", not_null={"content"})


@steps(name="0010_pauses")
def pauses(db: Database) -> None:
    """Schedules that are paused because their maker may no longer ask the question."""
    db.table("pauses").create(
        {"schedule": str, "paused_at": str}, pk="schedule", not_null={"paused_at"}
    )


@steps(name="0011_channels")
def channels(db: Database) -> None:
    """The channel that a name was found to mean, so that another channel of that name does not get
    its messages.
    """
    db.table("channels").create(
        {"team": str, "name": str, "id": str, "pinned_at": str},
        pk=("team", "name"),
        not_null={"id", "pinned_at"},
    )


@steps(name="0012_response_urls")
def response_urls(db: Database) -> None:
    """How to reach the askers of questions in progress, so that a crash leaves no progress message
    behind.
    """
    db.table("response_urls").create(
        {"delivery": str, "url": str, "replace_original": int, "thread_ts": str, "until": str},
        pk="delivery",
        not_null={"url", "replace_original", "thread_ts", "until"},
    )


@steps(name="0013_claims")
def claims(db: Database) -> None:
    """Which process is working on what, so that two that share the database do nothing twice."""
    db.table("replicas").create({"id": str, "seen_at": float}, pk="id", not_null={"seen_at"})
    for table in ("questions", "runs", "outbox"):
        db.table(table).add_column("owner", str)
    db.execute(
        "CREATE INDEX idx_questions_in_progress ON questions (asked_at) WHERE outcome = 'asked'"
    )
    db.execute("CREATE INDEX idx_runs_unfinished ON runs (due) WHERE ended_at IS NULL")


@steps(name="0014_evaluation_claims")
def evaluation_claims(db: Database) -> None:
    """Which process evaluates an alert that is due, and whether its state was changed since it was
    read.
    """
    db.table("evaluation_claims").create(
        {"alert": str, "due": str, "owner": str}, pk="alert", not_null={"due", "owner"}
    )
    db.table("alerts").add_column("version", int, not_null_default=0)


@steps(name="0015_deliveries")
def deliveries(db: Database) -> None:
    """Presses, forms and events that were handled, so that one that Slack delivers again after a
    restart has no second effect.
    """
    db.table("deliveries").create(
        {"key": str, "received_at": str}, pk="key", not_null={"received_at"}
    )


@steps(name="0016_answer_commands")
def answer_commands(db: Database) -> None:
    """The command of a private answer, by which access is checked again when it is shared. Answers
    without one, which are at most a day old, are deleted and have to be asked for again.
    """
    db.execute("DELETE FROM answers")
    db.table("answers").add_column("command", str, not_null_default="")


@steps(name="0017_replicas")
def replicas(db: Database) -> None:
    """What several processes share: how often something was changed that each has in memory, which
    questions can be cancelled, the pace of calls to Slack, and who tries a login.
    """
    db.table("changes").create({"topic": str, "number": int}, pk="topic", not_null={"number"})
    db.table("running_work").create(
        {"ticket": str, "user": str, "owner": str, "is_cancelled": int},
        pk="ticket",
        not_null={"user", "owner", "is_cancelled"},
    )
    db.table("slack_pace").create({"lane": str, "free_at": float}, pk="lane", not_null={"free_at"})
    db.table("login_attempts").create({"key": str, "owner": str}, pk="key", not_null={"owner"})


@steps(name="0018_overtaken_evaluations")
def overtaken_evaluations(db: Database) -> None:
    """Evaluations that a process had not finished when another one claimed the next of the same
    alert.
    """
    db.table("overtaken_evaluations").create(
        {"alert": str, "due": str, "owner": str}, pk=("alert", "due"), not_null={"owner"}
    )


@steps(name="0019_saved_questions")
def saved_questions(db: Database) -> None:
    """Questions that channels ask by a name."""
    db.table("saved_questions").create(
        {
            "channel": str,
            "command": str,
            "name": str,
            "query": str,
            "user": str,
            "saved_at": str,
        },
        pk=("channel", "command", "name"),
        not_null={"query", "user", "saved_at"},
    )


@steps(name="0020_baselines")
def baselines(db: Database) -> None:
    """What values were at earlier times, in the order of their series: baselines read one series,
    and `samples` is in the order of time.
    """
    db.execute(
        "CREATE TABLE baseline_samples (series INTEGER NOT NULL, at TEXT NOT NULL, value REAL NOT "
        "NULL, PRIMARY KEY (series, at)) WITHOUT ROWID"
    )


@steps(name="0021_compatibility")
def compatibility(db: Database) -> None:
    """Which version may still open the database after each step, so that a release can be rolled
    back.
    """
    db.table("schema_compatibility").create(
        {"step": str, "oldest": str}, pk="step", not_null={"oldest"}
    )


@steps(name="0022_seen_values")
def seen_values(db: Database) -> None:
    """Which values the API calls of each day had, and which parts of the day were read."""
    db.execute(
        "CREATE TABLE seen_values (account TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, "
        "entries BLOB NOT NULL, PRIMARY KEY (account, day, kind)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE seen_days (account TEXT NOT NULL, day TEXT NOT NULL, covered TEXT NOT NULL, "
        "PRIMARY KEY (account, day)) WITHOUT ROWID"
    )


@steps(name="0023_canvases")
def canvases(db: Database) -> None:
    """The canvas of each digest that has one, and the subscriptions that are kept in one."""
    # A table of its own, so that the release before can still open the database.
    db.table("canvas_subscriptions").create({"number": int}, pk="number")
    db.table("canvases").create(
        {
            "digest": str,
            "channel": str,
            "canvas_id": str,
            "reference": str,
            "content": str,
            "problem": str,
        },
        pk=("digest", "channel"),
        not_null={"canvas_id", "reference", "content", "problem"},
    )


@steps(name="0024_unsent_files")
def unsent_files(db: Database) -> None:
    """The files of answers that are being sent, so that those a stop has cut off are reported."""
    db.table("unsent_files").create(
        {"delivery": str, "names": str}, pk="delivery", not_null={"names"}
    )
