"""`check` finds problems that would otherwise show only when a message cannot be posted: channels,
people, groups, the clock, the disk.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.cli.check import run_checks
from bot.cli.check_local import LEAST_FREE, free_space
from bot.cli.check_slack import check_clock
from bot.cli.init import example_config
from bot.sandbox.sandbox import Sandbox
from providers.models import Check
from tests.conftest import Run, toml_of

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
DIGEST = {"name": "weekday-usage", "ask": "/usage rapid7-eu last 7 days", "at": "0 9 * * mon-fri"}
ALERT = {"name": "spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "5 GB"}


async def failures(sandbox: Sandbox, **changes: Any) -> tuple[dict[str, Check], int]:
    """The failing checks for the sandbox's configuration with these changes, by name, and the exit
    code.
    """
    config = sandbox.folder / "bot.toml"
    config.write_text(toml_of({**sandbox.table(), **changes}), "utf-8")
    checks, code = await run_checks(config, environ=sandbox.environ())
    return {check.name: check for check in checks if not check.ok}, code


async def warnings(sandbox: Sandbox, **changes: Any) -> tuple[dict[str, Check], int]:
    config = sandbox.folder / "bot.toml"
    config.write_text(toml_of({**sandbox.table(), **changes}), "utf-8")
    checks, code = await run_checks(config, environ=sandbox.environ())
    return {check.name: check for check in checks if check.ok and check.hint}, code


@pytest.mark.parametrize("vendor", ["rapid7", "akamai", "devicewise"])
async def test_example_of_one_vendor_passes(sandbox: Sandbox, vendor: str) -> None:
    """A person with one account fills in its secrets, what says CHANGE-ME, and nothing else."""
    example = tomllib.loads(example_config([vendor]).decode())
    [(name, account)] = example["providers"].items()
    running = sandbox.table()["providers"]
    [base_url] = [each["base_url"] for each in running.values() if each["kind"] == vendor]
    known = {"region": "eu", "host": "akab-kitchen.example.com", "account_ids": ["1-123A"]}
    filled_in = {key: known[key] for key, value in account.items() if "CHANGE-ME" in value}
    example["providers"] = {name: {**account, **filled_in, "base_url": base_url}}
    config = sandbox.folder / "bot.toml"
    config.write_text(toml_of(example), "utf-8")
    secrets = [value for value in account.values() if str(value).startswith("env:")]
    environ = {secret.removeprefix("env:"): "x" for secret in secrets}
    checks, _ = await run_checks(config, environ={**environ, **sandbox.environ()})
    # The sandbox refuses an invented secret, and nothing else fails.
    assert {check.name for check in checks if not check.ok} <= {name}


async def test_channels_that_the_bot_is_in_pass(sandbox: Sandbox) -> None:
    changes = {
        "slack": {"ops_channel": "#ops"},
        "digest": [{**DIGEST, "channel": "C0OPS"}],
        "alert": [{**ALERT, "channel": "U0ADA"}],
    }
    assert await failures(sandbox, **changes) == ({}, 0)


@pytest.mark.parametrize("channel", ["#nowhere", "C0NOWHERE", "U0NOBODY"])
@pytest.mark.parametrize("place", ["ops_channel", "digest", "alert"])
async def test_unknown_channel_fails(sandbox: Sandbox, channel: str, place: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "ops_channel": {"slack": {"ops_channel": channel}},
        "digest": {"digest": [{**DIGEST, "channel": channel}]},
        "alert": {"alert": [{**ALERT, "channel": channel}]},
    }
    failed, code = await failures(sandbox, **changes[place])
    [(name, check)] = failed.items()
    assert code == 2
    assert name.split(" ")[1] == channel
    assert place in check.detail
    assert check.hint


@pytest.mark.parametrize("channel", ["#kitchen", "C0KITCHEN"])
async def test_channel_without_the_bot_fails(sandbox: Sandbox, channel: str) -> None:
    sandbox.slack.channels["C0KITCHEN"].bot_is_in = False
    failed, code = await failures(sandbox, slack={"ops_channel": channel})
    assert code == 2
    assert "/invite @Opswatch" in failed[f"channel {channel}"].hint


async def test_archived_channel_fails(sandbox: Sandbox) -> None:
    shown = {
        "ok": True,
        "channel": {"id": "C0OPS", "name": "ops", "is_member": True, "is_archived": True},
    }
    sandbox.slack.answer_with(
        200, json.dumps(shown), path="conversations.info", content_type="application/json"
    )
    failed, _ = await failures(sandbox)
    assert "archived" in failed["channel C0OPS"].detail


@pytest.mark.parametrize("who", ["U0NOBODY", "S0NOBODY", "C0NOWHERE"])
@pytest.mark.parametrize("key", ["usage", "apiaudit", "logs", "manage"])
async def test_unknown_id_under_access_fails(sandbox: Sandbox, key: str, who: str) -> None:
    failed, code = await failures(sandbox, access={**sandbox.table()["access"], key: [who]})
    [check] = failed.values()
    assert code == 2
    assert check.name.endswith(who)
    assert f"[access] {key}" in check.detail


async def test_deactivated_person_fails(sandbox: Sandbox) -> None:
    sandbox.slack.users["U0ADA"].deleted = True
    failed, _ = await failures(sandbox)
    assert "deactivated" in failed["person U0ADA"].detail


async def test_group_without_members_fails(sandbox: Sandbox) -> None:
    sandbox.slack.groups["S0ONCALL"] = []
    failed, _ = await failures(sandbox)
    assert "no members" in failed["group S0ONCALL"].detail


async def test_each_name_is_looked_up_once(sandbox: Sandbox) -> None:
    named = ["U0ADA", "C0OPS"]
    await failures(
        sandbox, access={"usage": named, "apiaudit": named, "logs": named, "manage": named}
    )
    for method in ("users.info", "conversations.info"):
        assert len([path for path in sandbox.slack.paths() if path.endswith(method)]) == 1


async def test_clock_that_is_wrong_fails(sandbox: Sandbox) -> None:
    real = sandbox.slack.clock
    sandbox.slack.clock = lambda: real() + 90
    failed, code = await failures(sandbox)
    assert code == 2
    assert "behind" in failed["clock"].detail


@pytest.mark.parametrize(
    ("ahead_s", "expected"),
    [
        (0, ""),
        (29, ""),
        (-29, ""),
        (31, "31 s ahead of"),
        (-31, "31 s behind"),
        (86_400, "86,400 s ahead of"),
    ],
)
def test_clock_is_compared_with_slack(ahead_s: int, expected: str) -> None:
    found = check_clock(format_datetime(NOW, usegmt=True), NOW + timedelta(seconds=ahead_s))
    assert (found.detail if found else "").count(expected) == 1 if expected else found is None


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Sat, 99 Nov 2026 14:05:00 GMT",
        "Sat, 21 Nov 99999999999999999999 14:05:00 GMT",
        "9" * 10_000,
    ],
)
def test_date_that_is_none_says_nothing(date: str | None) -> None:
    assert check_clock(date, NOW) is None


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("free", "ok", "warns"),
    [(LEAST_FREE - 1, False, True), (LEAST_FREE, True, True), (2_000_000_000, True, False)],
)
def test_disk_without_room_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, ok: bool, warns: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 10**12 - free, free))
    check = free_space("disk", tmp_path, "It can be written", "Make room.", wanted=1_000_000_000)
    assert (check.ok, bool(check.hint)) == (ok, warns)


@pytest.mark.sqlite
async def test_full_disk_fails_the_check(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**12, 10**12 - 1000, 1000))
    failed, code = await failures(sandbox)
    assert (set(failed), code) == ({"temporary folder", "database"}, 2)


async def test_everything_missing_is_listed_at_once(run_cli: Run) -> None:
    account = {"kind": "rapid7", "region": "eu", "api_key": "env:KEY_THAT_IS_MISSING"}
    ran = await run_cli("check", "--json", table={"providers": {"eu": account}}, SLACK_BOT_TOKEN="")
    failed = {check["name"]: check["detail"] for check in ran.json["checks"] if not check["ok"]}
    assert set(failed) == {"providers.eu.api_key", "tokens"}
    assert "SLACK_BOT_TOKEN" in failed["tokens"]
    assert ran.code == 2


async def test_empty_configuration_is_a_warning(run_cli: Run) -> None:
    ran = await run_cli("check", table={})
    assert ran.code == 0, ran.out
    assert "!!  configuration: bot.toml has no accounts" in ran.out
    assert "→ Add an account under [providers]." in ran.out
    ran = await run_cli("check", "--json", table={})
    assert (ran.code, ran.json["ok"]) == (0, True)


async def test_command_that_nobody_may_ask_is_a_warning(sandbox: Sandbox) -> None:
    found, code = await warnings(sandbox, access={"usage": ["*"], "apiaudit": [], "logs": ["*"]})
    assert code == 0
    assert "`apiaudit` under [access] names nobody" in found["/apiaudit"].detail
    assert not {"/usage", "/logs"} & found.keys()


async def test_vendor_that_is_not_used_is_no_warning(run_cli: Run, sandbox: Sandbox) -> None:
    """With an account of one vendor, no line is marked `NO` or `!!`."""
    accounts = sandbox.table()["providers"]
    table = {**sandbox.table(), "providers": {"rapid7-eu": accounts["rapid7-eu"]}}
    ran = await run_cli("check", table=table)
    assert ran.code == 0
    assert {line[:3] for line in ran.out.splitlines()} == {"ok "}
    [named] = [line for line in ran.out.splitlines() if "/apiaudit" in line]
    assert "Not in use" in named and "Akamai" in named and "deviceWISE" in named


async def test_slack_that_does_not_answer_is_not_ours(sandbox: Sandbox) -> None:
    sandbox.slack.refuse("users.info", "internal_error")
    failed, code = await failures(sandbox)
    assert (set(failed), code) == ({"slack names"}, 3)


@pytest.mark.parametrize("kind", ["alert", "digest"])
async def test_question_that_an_account_refuses_fails(
    sandbox: Sandbox, run_cli: Run, kind: str
) -> None:
    entry = {"name": "slow", "ask": "/apiaudit edge last 1h slower:2s", "channel": "#ops"}
    entry |= {"at": "0 9 * * *"} if kind == "digest" else {"value": "calls", "above": "5"}
    ran = await run_cli("check", table={**sandbox.table(), kind: [entry]})
    assert ran.code == 2
    assert f"{kind} slow: edge is Akamai and records no duration" in ran.out
    fine = {**entry, "ask": "/apiaudit edge last 1h failures"}
    assert (await run_cli("check", table={**sandbox.table(), kind: [fine]})).code == 0


async def test_answer_that_cannot_be_read_is_reported_in_words(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(200, '{"ok": true}', path="conversations.list")
    failed, code = await failures(sandbox, slack={"ops_channel": "#ops"})
    assert code == 3
    assert "(its answer could not be read; is a proxy in between?)" in failed["slack names"].detail


@pytest.mark.parametrize("above", [5, "5 B", "-5"])
async def test_threshold_of_a_few_bytes_is_a_warning(sandbox: Sandbox, above: object) -> None:
    alert = {
        **ALERT,
        "ask": "/usage rapid7-eu yesterday vs previous",
        "value": "change_bytes",
        "channel": "#ops",
        "above": above,
    }
    warned, code = await warnings(sandbox, alert=[alert])
    assert code == 0, warned
    assert "is 5 B" in warned["alert spike"].detail
    assert 'such as above = "' in warned["alert spike"].hint
