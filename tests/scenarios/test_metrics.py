"""`/metrics` on the health port: counts of events in the real bot, in Prometheus' own format."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from bot.observability.metrics import Metrics
from bot.sandbox.sandbox import Sandbox
from providers.http.observer import RequestOutcome
from tests.conftest import ROOT, toml_of
from tests.support.bot_program import bot_program
from tests.support.ports import free_port

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ALERTS = [
    {
        "name": f"{name}-of-ada",
        "ask": "/usage rapid7-eu last 7 days",
        "value": "bytes",
        "above": above,
        "every": "5s",
        "channel": "#ops",
    }
    for name, above in (("fires", "1 B"), ("calm", "900 TB"))
]


@asynccontextmanager
async def running(
    sandbox: Sandbox, log: Path, **changes: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot run` in a separate process, connected."""
    async with bot_program(sandbox, table={**sandbox.table(), **changes}, log=log) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        yield process


def configure(sandbox: Sandbox, **changes: Any) -> None:
    (sandbox.folder / "bot.toml").write_text(toml_of({**sandbox.table(), **changes}), "utf-8")


async def get(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as response,
    ):
        return response.status, response.headers.get("Content-Type", ""), await response.text()


Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def samples_in(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def parsed(text: str) -> list[Metric]:
    """The page as parsed by Prometheus' own parser."""
    return [*text_string_to_metric_families(text)]


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


async def until(port: int, name: str, least: float = 1, **labels: str) -> Samples:
    async with asyncio.timeout(90):
        while value(samples := samples_in((await get(port))[2]), name, **labels) < least:
            await asyncio.sleep(0.1)
    return samples


async def test_what_happens_is_counted(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    async with running(sandbox, tmp_path / "log", health={"port": port}, alert=ALERTS):
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
        await sandbox.slack.answer_to("/usage nonsense", timeout_s=60)
        await until(port, "opswatch_alerts", state="firing")
        await until(port, "opswatch_alerts", state="inactive")
        # Only this request is neither an alert's nor one that the answer can do without.
        sandbox.rapid7.answer_with(401, path="/usage/organizations/logs", times=1)
        await sandbox.slack.answer_to("/usage rapid7-eu yesterday per log", timeout_s=60)
        # Counted after the answer is there.
        samples = await until(port, "opswatch_questions_total", command="usage", outcome="auth")
    asked = {
        outcome: value(samples, "opswatch_questions_total", command="usage", outcome=outcome)
        for outcome in ("answered", "bad_question", "auth")
    }
    assert asked == {"answered": 1, "bad_question": 1, "auth": 1}
    assert value(samples, "opswatch_question_duration_seconds_count", command="usage") == 3
    assert (
        value(samples, "opswatch_provider_requests_total", account="rapid7-eu", status="401") == 1
    )
    answered = value(samples, "opswatch_provider_requests_total", account="rapid7-eu", status="200")
    timed = value(samples, "opswatch_provider_request_duration_seconds_count", account="rapid7-eu")
    assert timed == answered + 1
    assert value(samples, "opswatch_provider_up", account="rapid7-eu") == 1
    left = {"account": "rapid7-eu", "limit": "downloads"}
    assert value(samples, "opswatch_provider_quota_remaining_requests", **left) == 150
    assert value(samples, "opswatch_alert_evaluations_total", outcome="ok") >= 2
    assert value(samples, "opswatch_alert_evaluation_delay_seconds_count") >= 2
    for name in ("slack_connected", "database_up", "config_last_reload_successful"):
        assert value(samples, f"opswatch_{name}") == 1
    assert value(samples, "opswatch_database_size_bytes") > 10_000
    assert value(samples, "opswatch_slack_last_event_timestamp_seconds") > 1.7e9
    assert value(samples, "process_resident_memory_bytes") > 1e6


async def test_failed_evaluations_are_counted(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    sandbox.rapid7.answer_with(401, times=1000)
    async with running(sandbox, tmp_path / "log", health={"port": port}, alert=ALERTS[:1]):
        samples = await until(port, "opswatch_alert_evaluations_total", outcome="failed")
        samples = await until(port, "opswatch_alerts", state="error")
    assert value(samples, "opswatch_alert_evaluations_total", outcome="ok") == 0


async def test_slack_trouble_is_counted(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    async with running(sandbox, tmp_path / "log", health={"port": port}):
        sandbox.slack.answer_with(429, path="chat.postMessage", times=1, Retry_After="1")
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
        await until(port, "opswatch_slack_rate_limited_total", method="chat.postMessage")
        sandbox.slack.answer_with(429, path="apps.connections.open", times=1, Retry_After="1")
        for socket in [*sandbox.slack.sockets]:
            await socket.close()
        await until(port, "opswatch_slack_rate_limited_total", method="apps.connections.open")
        samples = await until(port, "opswatch_slack_reconnects_total")
    for method in ("chat.postMessage", "apps.connections.open"):
        assert value(samples, "opswatch_slack_rate_limited_total", method=method) == 1


async def test_waiting_messages_show_their_age(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    sandbox.slack.refuse("chat.postMessage", "not_in_channel")
    async with running(sandbox, tmp_path / "log", health={"port": port}, alert=ALERTS[:1]):
        await until(port, "opswatch_outbox_messages")
        samples = await until(port, "opswatch_outbox_oldest_age_seconds", least=0.2)
    assert value(samples, "opswatch_outbox_messages") >= 1


async def test_refused_reload_is_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    async with running(sandbox, tmp_path / "log", health={"port": port}) as process:
        before = await until(port, "opswatch_config_last_reload_successful")
        configure(sandbox, timezone="Mars/Olympus")
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(60):
            while value(
                samples := samples_in((await get(port))[2]),
                "opswatch_config_last_reload_successful",
            ):
                await asyncio.sleep(0.05)
        read_at = "opswatch_config_last_reload_success_timestamp_seconds"
        assert value(samples, read_at) == value(before, read_at)
        configure(sandbox, health={"port": port})
        process.send_signal(signal.SIGHUP)
        after = await until(port, "opswatch_config_last_reload_successful")
        assert value(after, read_at) > value(before, read_at)


async def test_counts_go_on_after_a_reload(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    name = "opswatch_questions_total"
    asked = {"command": "usage", "outcome": "answered"}
    async with running(sandbox, log, health={"port": port}) as process:
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
        await until(port, name, 1, **asked)
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(60):
            while "The configuration was reloaded." not in log.read_text():
                await asyncio.sleep(0.05)
        await sandbox.slack.answer_to("/usage last 5 days", timeout_s=60)
        await until(port, name, 2, **asked)


async def test_metrics_can_be_switched_off(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    async with running(sandbox, tmp_path / "log", health={"port": port, "metrics": False}):
        assert (await get(port))[0] == 404
        assert (await get(port, "/healthz"))[0] == 200


async def test_both_formats_are_served(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    async with running(sandbox, tmp_path / "log", health={"port": port}, alert=ALERTS):
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
        status, content_type, text = await get(port)
        assert (status, content_type.split(";")[0]) == (200, "text/plain")
        plain = {family.name.removesuffix("_info") for family in parsed(text)}
        status, content_type, text = await get(port, Accept=OPENMETRICS)
        assert (status, content_type.split(";")[0]) == (200, "application/openmetrics-text")
        assert {
            family.name
            for family in openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        } == plain


def served() -> Metrics:
    """The metrics of a bot in which each metric has a sample."""
    from datetime import UTC, datetime, timedelta

    from bot.observability.measurements import Measurements
    from providers.models import AccountStatus, RemainingQuota

    metrics = Metrics()
    now = datetime.now(UTC)
    observers = metrics.observers
    observers.question("usage", "answered", 0.2)
    observers.request(RequestOutcome("edge", None, 0.1))
    observers.evaluation(False, timedelta(minutes=2))
    observers.rate_limit("chat.postMessage")
    observers.event("pagerduty", True)
    metrics.observe_lag(0.001)
    metrics.measurements = Measurements(
        last_event_at=now,
        configured_at=now,
        alerts={"firing": 1},
        accounts=[AccountStatus("edge", "", now, (RemainingQuota("reports", 3, 120),))],
    )
    return metrics


def families() -> list[Metric]:
    return parsed(served().page("")[0].decode())


UNITS = ("seconds", "bytes", "requests", "total", "info", "ratio")
WITHOUT_UNIT = {
    "opswatch_alerts",
    "opswatch_outbox_messages",
    "opswatch_questions",
    "opswatch_ready",
    "opswatch_slack_connected",
    "opswatch_database_up",
    "opswatch_provider_up",
    "opswatch_config_last_reload_successful",
}


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_names_follow_the_conventions(family: Metric) -> None:
    """The problems that `promtool check metrics` reports: no help, a counter without `_total` or
    another metric with it, units that are not base units, names in mixed case.
    """
    assert family.documentation
    assert family.documentation.endswith(".") or not family.name.startswith("opswatch")
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", family.name)
    names = {sample.name for sample in family.samples}
    assert family.type in ("counter", "gauge", "histogram")
    if family.type == "counter":
        assert all(name.endswith("_total") for name in names)
    else:
        assert not any(name.endswith("_total") for name in names)
    assert not re.search(r"_(ms|millis\w*|minutes|hours|kb|mb|percent)(_|$)", family.name)
    if family.name.startswith("opswatch") and family.type != "counter":
        assert family.name in WITHOUT_UNIT or family.name.endswith(UNITS)


def test_labels_name_no_person_channel_or_alert() -> None:
    labels = {
        label for family in families() for sample in family.samples for label in sample.labels
    }
    assert labels == {
        *(
            "account",
            "command",
            "le",
            "limit",
            "method",
            "outcome",
            "state",
            "status",
            "target",
            "version",
        )
    }


async def test_page_names_nobody(sandbox: Sandbox, tmp_path: Path) -> None:
    port = free_port()
    async with running(sandbox, tmp_path / "log", health={"port": port}, alert=ALERTS):
        await sandbox.slack.answer_to("/usage last 7 days", user="U0ADA", timeout_s=60)
        await until(port, "opswatch_alerts", state="firing")
        text = (await get(port))[2]
    for name in ("U0ADA", "C0OPS", "#ops", "of-ada", sandbox.slack.bot_token):
        assert name not in text


def exposed_names() -> set[str]:
    """Every name that can be queried."""
    return {sample.name for family in families() for sample in family.samples}


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:opswatch|process)_[a-z0-9_]+", expression))


def dashboard_expressions() -> Iterator[str]:
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield str(variable.get("definition", ""))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_dashboard_names_metrics_that_exist() -> None:
    named = {name for expression in dashboard_expressions() for name in names_in(expression)}
    assert len(named) > 15
    assert named <= exposed_names()


def test_dashboard_shows_every_metric() -> None:
    shown = " ".join(dashboard_expressions())
    for family in families():
        if family.name.startswith("opswatch") and not family.name.endswith("timestamp_seconds"):
            assert family.name in shown or family.name in str(rules()), family.name


# What a query looks like, and the units that its panel may have; the first that fits counts.
PANEL_UNITS = (
    (r"_timestamp_seconds", {"dateTimeFromNow"}),
    (r"_seconds_bucket", {"s"}),
    (r"process_cpu_seconds_total|remaining.* / ", {"percentunit"}),
    (r"\brate\(", {"reqps", "ops"}),
    (r"_bytes\b", {"bytes"}),
    (r"_seconds\b", {"s"}),
    (r"_up\b|_ready\b|_connected\b|_successful\b", {"bool_yes_no", "bool_on_off"}),
    (r"", {"none"}),
)


def test_dashboard_panels_have_units() -> None:
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expected = next(
                units for shape, units in PANEL_UNITS if re.search(shape, target["expr"])
            )
            assert panel["fieldConfig"]["defaults"]["unit"] in expected, panel["title"]


def test_dashboard_counts_shared_rows_once() -> None:
    """Every process of a job measures the same database, so a sum would multiply its rows."""
    shared = r"opswatch_(?:alerts|outbox_messages|database_size_bytes)\b"
    for expression in dashboard_expressions():
        if "sum" in expression and re.search(shared, expression):
            assert re.search(rf"max by \(job[^)]*\) \({shared}", expression), expression


def test_dashboard_panels_do_not_overlap() -> None:
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_rules_name_metrics_that_exist() -> None:
    found = rules()
    assert len(found) >= 10
    for rule in found:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert names_in(rule["expr"]) <= exposed_names(), rule["alert"]
        assert names_in(rule["expr"]) or rule["expr"].startswith("up{")
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
    assert len({rule["alert"] for rule in found}) == len(found)


def test_bot_without_metrics_does_not_load_the_library() -> None:
    script = (
        "import sys, bot.cli.main, bot.runtime, bot.lifecycle.service, bot.app, bot.cli.ask;"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
