"""`python -m bot check` in a terminal: one line per check, with a hint for each failure."""

from __future__ import annotations

import pytest

from bot.cli.check import run_checks
from bot.sandbox.sandbox import Sandbox
from tests.conftest import Run, toml_of


async def test_check_shows_no_control_sequence(run_cli: Run, sandbox: Sandbox) -> None:
    table = sandbox.table()
    table["providers"]["edge"]["method"] = "\x1b[2J\u202eNO\nok  all is well"
    ran = await run_cli("check", table=table)
    assert ran.code == 2
    assert "\x1b" not in ran.out and "\u202e" not in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith("ok  all")]


async def test_check_prints_a_line_each(run_cli: Run) -> None:
    ran = await run_cli("check", "--json")
    assert ran.code == 0, ran.out
    assert ran.json["ok"] is True
    assert [c["name"] for c in ran.json["checks"]] == [
        "configuration",
        "temporary folder",
        "database",
        "slack",
        "scopes",
        "socket",
        "rapid7-eu",
        "edge",
        "iot",
    ]
    assert all(set(c) == {"name", "ok", "detail", "hint"} for c in ran.json["checks"])


async def test_check_has_a_hint_for_failures(run_cli: Run, sandbox: Sandbox) -> None:
    sandbox.rapid7.answer_with(401, times=9)
    sandbox.akamai.deprecated = True
    sandbox.slack.scopes = "commands"
    ran = await run_cli("check")
    assert ran.code == 3
    assert "NO  scopes: The token lacks app_mentions:read, channels:history" in ran.out
    assert "Without users:read, `*` under [access] covers nobody." in ran.out
    assert "NO  rapid7-eu: rapid7-eu did not accept the key" in ran.out
    assert 'report = "v2"' in ran.out
    assert "ok  iot" in ran.out


async def test_check_names_wrong_token_and_configuration(run_cli: Run, sandbox: Sandbox) -> None:
    ran = await run_cli("check", SLACK_BOT_TOKEN="xoxb-wrong-token")
    assert ran.code == 3
    assert "invalid_auth" in ran.out
    assert "xoxb-wrong-token" not in ran.out + ran.err
    ran = await run_cli("check", "--json", table={**sandbox.table(), "colour": "red"})
    assert (ran.code, ran.json["ok"]) == (2, False)


async def test_check_names_host_and_cause(run_cli: Run, sandbox: Sandbox) -> None:
    table = sandbox.table()
    for account in table["providers"].values():
        account["base_url"] = "http://127.0.0.1:9"
    ran = await run_cli("check", table=table, SLACK_API_URL="http://127.0.0.1:9/api/")
    for name in ("Slack", "rapid7-eu", "edge", "iot"):
        expected = f"{name} could not be reached: connection refused (127.0.0.1:9)."
        assert expected in ran.out, name
    asked = await run_cli("ask", "/usage", "--json", table=table)
    # People in a channel need not learn the network of the operator.
    assert "connection refused" in asked.json["error"]["message"]
    assert "127.0.0.1" not in asked.out


async def test_check_names_unwritable_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    def no_folder() -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.TemporaryFile", no_folder)
    config = sandbox.folder / "bot.toml"
    config.write_text(toml_of(sandbox.table()), "utf-8")
    checks, code = await run_checks(config, environ=sandbox.environ())
    failed = [check for check in checks if not check.ok]
    assert (code, [check.name for check in failed]) == (2, ["temporary folder"])
    assert "TMPDIR" in failed[0].hint


async def test_account_called_like_a_word_of_alerts_keeps_its_name(
    run_cli: Run, sandbox: Sandbox
) -> None:
    table = sandbox.table()
    table["providers"]["pause"] = table["providers"].pop("rapid7-eu")
    ran = await run_cli("check", table=table)
    assert "account pause: `pause` at the beginning of a question is this account" in ran.out
    ran = await run_cli("ask", "/usage pause today", "--json", table=table)
    assert "bytes" in ran.json["values"]
    ran = await run_cli("ask", "/usage snooze spike 2h", table=table)
    assert (ran.code, "works only in Slack" in ran.err) == (2, True)
