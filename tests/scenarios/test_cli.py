"""`python -m bot`: the answers, exit codes and JSON that other programs rely on."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.records import User
from bot.store import Store
from providers.limits.rate_limiter import RateLimiter
from providers.rapid7.limits import LIMITS
from providers.redaction import Secret
from tests.conftest import ROOT, Run


async def test_json_answer_has_every_member(run_cli: Run, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=7)
    last = today - timedelta(days=1)
    ran = await run_cli(
        "ask", f"/usage {first}..{last} csv", "--json", "--out", str(tmp_path / "out")
    )
    assert (ran.code, ran.err) == (0, "")
    answer = ran.json
    assert set(answer) == {"text", "blocks", "values", "files", "warnings", "window", "preview"}
    page, _, blocks = answer["preview"].partition("#")
    assert page == "https://app.slack.com/block-kit-builder/"
    assert json.loads(unquote(blocks)) == {"blocks": answer["blocks"]}
    assert (answer["window"]["start"], answer["window"]["end"]) == (
        f"{first}T00:00:00Z",
        f"{today}T00:00:00Z",
    )
    assert answer["window"]["said"].endswith(f"{last:%b %Y} (UTC)")
    assert {"bytes", "reported_bytes", "days", "days_missing", "mean_bytes_per_day", "peak_bytes", "peak_day", "change_percent", "month_to_date_bytes", "forecast_month_bytes", "quota_percent", "forecast_spread_bytes", "forecast_error_percent"} == set(answer["values"])  # fmt: skip
    file = answer["files"][0]
    content = Path(file["path"]).read_bytes()
    assert (file["name"], file["bytes"]) == (
        f"usage-rapid7-eu-{first:%Y%m%d}-{last:%Y%m%d}.csv",
        len(content),
    )
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert content.split(b"\r\n")[0] == b"day,bytes"
    assert answer["values"]["bytes"] == sum(
        int(line.split(b",")[1]) for line in content.split(b"\r\n")[1:8]
    )


async def test_missing_day_has_empty_bytes(run_cli: Run, tmp_path: Path) -> None:
    ran = await run_cli("ask", "/usage 30d csv", "--json")
    rows = list(
        csv.DictReader(io.StringIO(Path(tmp_path / ran.json["files"][0]["path"]).read_text()))
    )
    assert len(rows) == 30
    assert [row["bytes"] for row in rows].count("") == ran.json["values"]["days_missing"] == 1


async def test_existing_file_is_not_overwritten(run_cli: Run, tmp_path: Path) -> None:
    paths = [
        (await run_cli("ask", "/usage yesterday csv", "--json", "--out", str(tmp_path))).json[
            "files"
        ][0]["path"]
        for _ in range(2)
    ]
    assert paths[0] != paths[1]
    assert all(Path(path).exists() for path in paths)


async def test_audit_over_both_vendors(run_cli: Run, tmp_path: Path) -> None:
    ran = await run_cli("ask", "/apiaudit 24h csv", "--json", "--out", str(tmp_path))
    values = ran.json["values"]
    assert {"calls", "failures", "failure_percent", "actors", "duration_p95_ms", "complete"} == set(
        values
    )
    rows = list(
        csv.DictReader(
            io.StringIO(Path(ran.json["files"][0]["path"]).read_bytes().decode(), newline="")
        )
    )
    assert len(rows) == values["calls"]
    assert {row["account"] for row in rows} == {"edge", "iot"}
    assert sum(row["outcome"] == "failure" for row in rows) == values["failures"]
    assert all(row["duration_ms"] == "" for row in rows if row["account"] == "edge")
    assert any(row["status"] == "'-90008" for row in rows)


async def test_log_in_a_terminal(run_cli: Run, tmp_path: Path) -> None:
    ran = await run_cli("ask", "/logs kitchen,cellar 24h", "--json", "--out", str(tmp_path))
    values = ran.json["values"]
    assert set(values) == {"lines", "bytes", "complete", "truncated", "levels"}
    assert (values["complete"], values["truncated"]) == (True, False)
    content = gzip.decompress(Path(ran.json["files"][0]["path"]).read_bytes())
    assert content.count(b"\n") == values["lines"]
    assert len(content) < values["bytes"]
    assert b"Tr0ub4dor" not in content


async def test_text_answer_names_saved_files(run_cli: Run, tmp_path: Path) -> None:
    ran = await run_cli("ask", "/logs kitchen 20m", "--out", str(tmp_path))
    assert ran.code == 0
    assert "Saved " in ran.out
    assert "lines" in ran.out
    assert "&lt;" not in ran.out


async def test_help_has_no_window(run_cli: Run) -> None:
    ran = await run_cli("ask", "/logs help", "--json")
    assert (ran.code, ran.json["window"], ran.json["values"], ran.json["files"]) == (
        0,
        None,
        {},
        [],
    )


def fail(server: str, status: int, body: str = "") -> Callable[[Sandbox], None]:
    return lambda sandbox: getattr(sandbox, server).answer_with(status, body, times=99)


FAILURES = [
    ("/usage foo", lambda w: None, 2, "bad_question", None),
    ("/logs nowhere 20m", lambda w: None, 2, "bad_question", None),
    ("/usage 7d", fail("rapid7", 401), 3, "auth", "rapid7-eu"),
    ("/usage 7d", fail("rapid7", 403), 3, "auth", "rapid7-eu"),
    ("/usage 7d", fail("rapid7", 404), 3, "not_found", "rapid7-eu"),
    ("/usage 7d", fail("rapid7", 429), 3, "rate_limited", "rapid7-eu"),
    ("/usage 7d", fail("rapid7", 500), 3, "unavailable", "rapid7-eu"),
    ("/usage 7d", fail("rapid7", 400), 3, "protocol", "rapid7-eu"),
    ("/usage 7d", fail("rapid7", 200, "<html>"), 3, "protocol", "rapid7-eu"),
    ("/apiaudit edge 7d", fail("akamai", 410), 3, "not_found", "edge"),
    ("/apiaudit edge 7d", lambda w: setattr(w.akamai, "client_secret", "another"), 3, "auth", "edge"),
    ("/apiaudit iot 7d", lambda w: setattr(w.devicewise, "mfa", True), 3, "auth", "iot"),
    ("/logs kitchen", fail("rapid7", 200, "x"), 0, None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "arrange", "code", "kind", "provider"),
    FAILURES,
    ids=[f"{case[0]} {case[3]}" for case in FAILURES],
)
async def test_failures_have_kind_and_exit_code(
    run_cli: Run,
    sandbox: Sandbox,
    line: str,
    arrange: Any,
    code: int,
    kind: str | None,
    provider: str | None,
) -> None:
    arrange(sandbox)
    ran = await run_cli("ask", line, "--json")
    assert ran.code == code, ran.out + ran.err
    if kind:
        error = ran.json["error"]
        assert (error["kind"], error["provider"]) == (kind, provider)
        assert error["message"].endswith((".", "?"))
        assert error["hint"]


async def test_all_configuration_problems_are_shown(run_cli: Run, sandbox: Sandbox) -> None:
    table = {**sandbox.table(), "colour": "red", "timezone": "Mars"}
    ran = await run_cli("ask", "/usage 7d", "--json", table=table)
    assert ran.code == 2
    assert ran.json["error"]["kind"] == "bad_config"
    assert "colour" in ran.json["error"]["message"]
    assert "timezone" in ran.json["error"]["message"]


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ((), 0),
        (("--user", "U0ADA"), 0),
        (("--user", "U0LINUS"), 4),
        (("--channel", "C0OPS"), 4),
        (("--user", "U0GRACE"), 0),
        (("--user", "U0LINUS", "--channel", "C0KITCHEN"), 4),
    ],
)
async def test_user_and_channel_apply_access_rules(
    run_cli: Run, sandbox: Sandbox, who: tuple[str, ...], code: int
) -> None:
    ran = await run_cli("ask", "/apiaudit 24h", "--json", *who)
    assert ran.code == code
    if code:
        assert ran.json["error"]["kind"] == "refused"
        assert sandbox.akamai.requests == []


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("U0GONE", "deactivated or unknown"),
        ("U0NOBODY", "deactivated or unknown"),
        ("U0THERE", "don't have access"),
    ],
)
async def test_terminal_asks_for_members_alone(
    run_cli: Run, sandbox: Sandbox, user: str, message: str
) -> None:
    sandbox.slack.users["U0GONE"] = User("U0GONE", "Gone", "", "", deleted=True)
    sandbox.slack.users["U0THERE"] = User("U0THERE", "There", "", "", team="T0ELSEWHERE")
    ran = await run_cli("ask", "/usage today", "--json", "--user", user)
    assert ran.code == 4
    assert message in ran.json["error"]["message"]
    assert sandbox.rapid7.requests == []


@pytest.mark.parametrize("fault", ["users.info", "auth.test"])
async def test_person_is_not_answered_while_slack_is_away(
    run_cli: Run, sandbox: Sandbox, fault: str
) -> None:
    sandbox.slack.refuse(fault, "internal_error")
    ran = await run_cli("ask", "/usage today", "--json", "--user", "U0ADA")
    assert ran.code == 4
    assert "Slack cannot be asked who that person is" in ran.json["error"]["message"]
    assert (await run_cli("ask", "/usage today", "--channel", "C0OPS")).code == 0


async def test_person_is_answered_without_a_token(run_cli: Run) -> None:
    words = ("ask", "/usage today", "--user", "U0ADA")
    assert (await run_cli(*words, SLACK_BOT_TOKEN="")).code == 0
    assert (await run_cli(*words, SLACK_BOT_TOKEN="mistyped")).code == 4


async def test_granted_channel_may_ask(run_cli: Run) -> None:
    assert (await run_cli("ask", "/logs kitchen", "--channel", "C0OPS")).code == 0
    assert (await run_cli("ask", "/logs kitchen", "--channel", "C0KITCHEN")).code == 4


@pytest.mark.parametrize("option", ["--user", "--channel"])
@pytest.mark.parametrize("given", ["", " "])
async def test_empty_person_or_place_is_refused(
    run_cli: Run, sandbox: Sandbox, option: str, given: str
) -> None:
    """A script with an empty variable asks as nobody, not as the operator."""
    ran = await run_cli("ask", "/usage 7d", "--json", option, given)
    assert (ran.code, ran.json["error"]["kind"]) == (2, "bad_question")
    assert option in ran.json["error"]["message"]
    assert sandbox.rapid7.requests == []


async def test_saved_files_are_private(run_cli: Run, tmp_path: Path) -> None:
    for line in ("/usage 7d csv", "/apiaudit edge 24h csv", "/logs kitchen 20m"):
        ran = await run_cli("ask", line, "--json", "--out", str(tmp_path / "out"))
        [file] = ran.json["files"]
        assert Path(file["path"]).stat().st_mode & 0o777 == 0o600


async def test_manifest_needs_no_configuration(run_cli: Run, tmp_path: Path) -> None:
    ran = await run_cli("manifest", "--json", BOT_CONFIG=str(tmp_path / "none.toml"))
    assert ran.json["display_information"]["name"] == "Opswatch"
    assert (await run_cli("manifest")).out == (ROOT / "manifest.yml").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("ask", "--help"),
        ("check", "--help"),
        ("run", "--help"),
        ("manifest", "--help"),
        ("demo", "--help"),
    ],
)
async def test_every_command_explains_itself_with_examples(
    run_cli: Run, words: tuple[str, ...]
) -> None:
    ran = await run_cli(*words)
    assert ran.code == 0
    assert "python -m bot" in ran.out


@pytest.mark.parametrize(
    "line",
    [
        "/usage alerts",
        "/usage alert today above 5 GB",
        "/usage Silence failing 2h",
        "/logs subscribe kitchen",
        "apiaudit subscriptions",
    ],
)
async def test_ask_refuses_slack_only_commands(run_cli: Run, line: str) -> None:
    ran = await run_cli("ask", line, "--json")
    assert (ran.code, ran.json["error"]["kind"]) == (2, "bad_question")
    assert "only in Slack" in ran.json["error"]["message"]


@pytest.mark.parametrize("words", [("run",), ("check",)], ids=" ".join)
async def test_missing_database_folder_is_named(
    run_cli: Run, sandbox: Sandbox, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = await run_cli(*words, table={**sandbox.table(), "database": "missing/bot.sqlite"})
    assert ran.code == 2
    assert str(tmp_path / "missing" / "bot.sqlite") in ran.out + ran.err
    assert "there is no folder" in ran.out + ran.err


@pytest.mark.parametrize("words", [("run",), ("check",)], ids=" ".join)
@pytest.mark.parametrize("folder", ["missing", "file"])
async def test_unusable_temporary_folder_is_named(
    run_cli: Run, tmp_path: Path, words: tuple[str, ...], folder: str
) -> None:
    (tmp_path / "file").touch()
    ran = await run_cli(*words, TMPDIR=str(tmp_path / folder))
    output = ran.out + ran.err
    assert ran.code == 2
    assert f"No temporary file can be written in {tmp_path / folder} (" in output
    assert "Set TMPDIR" in output
    assert "Traceback" not in output


README_QUESTIONS = re.findall(r"^\| `(/[^`]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", README_QUESTIONS)
async def test_readme_question_finds_something(run_cli: Run, tmp_path: Path, line: str) -> None:
    ran = await run_cli("ask", line, "--json", "--out", str(tmp_path))
    assert ran.code == 0, ran.out
    values = ran.json["values"]
    assert next(values[name] for name in ("calls", "lines", "bytes") if name in values) > 0


async def test_terminal_shares_the_rate_limit(
    sandbox: Sandbox, run_cli: Run, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    store = await Store.open(sandbox.location, now=now)
    budget = RateLimiter("rapid7-eu", Secret(sandbox.rapid7.api_key), LIMITS, store.rate_limits)
    for _ in range(149):
        await budget.commit("download", await budget.reserve("download"))
    await store.close()
    assert (await run_cli("ask", "/logs kitchen", "--json")).code == 0
    ran = await run_cli("ask", "/logs kitchen", "--json")
    assert (ran.code, ran.json["error"]["kind"], ran.json["error"]["provider"]) == (
        3,
        "rate_limited",
        "rapid7-eu",
    )
    assert "150 downloads and 75 GB in 15 min" in ran.json["error"]["message"]
    assert "Try again at" in ran.json["error"]["hint"]
    assert sum("/download/" in path for path in sandbox.rapid7.paths()) == 1


async def test_terminal_answers_without_database(
    sandbox: Sandbox, run_cli: Run, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    ran = await run_cli(
        "ask", "/usage last 7 days", table={**sandbox.table(), "database": "file/bot.sqlite"}
    )
    assert ran.code == 0


async def test_answer_mentions_that_today_is_partial(run_cli: Run) -> None:
    ran = await run_cli("ask", "/usage today", "--json")
    today = datetime.now(UTC).date()
    assert ran.json["window"]["start"] == f"{today}T00:00:00Z"
    assert "Today is incomplete" in ran.json["text"]
    assert json.dumps(ran.json["blocks"])


# Lines of a page that only ask, without a comment or redirection behind them. Those of an installed
# service name its own files.
DOCUMENTED_COMMANDS = sorted(
    {
        command.strip()
        for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for command in re.findall(
            r"^ {4,}opswatch ((?:ask|check|manifest)\b(?!.* /etc/)[^#>\n]*)",
            page.read_text("utf-8"),
            re.MULTILINE,
        )
    }
)


@pytest.mark.parametrize("command", DOCUMENTED_COMMANDS)
async def test_documented_command_runs(run_cli: Run, tmp_path: Path, command: str) -> None:
    here = {"/tmp": tmp_path, "/etc/opswatch/bot.toml": tmp_path / "bot.toml"}
    ran = await run_cli(*[str(here.get(word, word)) for word in shlex.split(command)])
    assert ran.code == 0, ran.err
    assert ran.out
