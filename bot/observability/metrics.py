"""Metrics for Prometheus, by its naming conventions: base units, `_total` for counters.

Labels hold what the operator or the code has named: commands, outcomes, accounts, targets, methods,
states.
They never hold people, channels or the names of alerts, which people make. Imported only where
metrics are served, for the client library takes memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from bot import __version__
from bot.observability.measurements import Measurements
from bot.observability.observers import Observers
from providers.http.observer import RequestOutcome

# Of an answer: from what needs no vendor to a log of some gigabytes.
QUESTION_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DELAY_SECONDS = (0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
# An evaluation takes its answer's time; later than this it was held up.
LATE_AFTER = timedelta(minutes=1)
NO_ANSWER = "none"

# No `_created` series: they double the page and nothing here queries them.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """Counts what the observers report and exposes the latest measurements. It outlives the bots
    that a reload replaces.
    """

    def __init__(self) -> None:
        # Not the registry of the library, which all bots of a process would share: two exist during
        # a reload.
        self._registry = registry = CollectorRegistry()
        self.measurements = Measurements()
        self._questions = Counter(
            "opswatch_questions",
            "Questions from Slack that have ended, by command and outcome.",
            ["command", "outcome"],
            registry=registry,
        )
        self._question_seconds = Histogram(
            "opswatch_question_duration_seconds",
            "Time from a question to the end of its answer.",
            ["command"],
            buckets=QUESTION_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "opswatch_provider_requests",
            "Requests to vendors by account and HTTP status; status none if there was no response.",
            ["account", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "opswatch_provider_request_duration_seconds",
            "Time until the first byte of a vendor's response.",
            ["account"],
            buckets=REQUEST_SECONDS,
            registry=registry,
        )
        self._evaluations = Counter(
            "opswatch_alert_evaluations",
            "Evaluations of alerts; outcome failed if the question was not answered.",
            ["outcome"],
            registry=registry,
        )
        self._late_evaluations = Counter(
            "opswatch_alert_evaluations_late",
            "Evaluations of alerts that ended more than a minute after they were due.",
            registry=registry,
        )
        self._evaluation_delay = Histogram(
            "opswatch_alert_evaluation_delay_seconds",
            "Time from when an alert was due to when it was evaluated.",
            buckets=DELAY_SECONDS,
            registry=registry,
        )
        self._rate_limited = Counter(
            "opswatch_slack_rate_limited",
            "Calls that Slack answered with HTTP 429, by method.",
            ["method"],
            registry=registry,
        )
        self._events = Counter(
            "opswatch_target_events",
            "Events sent to targets of alerts; outcome failed if one was not accepted.",
            ["target", "outcome"],
            registry=registry,
        )
        self._lag = Histogram(
            "opswatch_event_loop_lag_seconds",
            "How late the event loop woke up.",
            buckets=LAG_SECONDS,
            registry=registry,
        )
        self._prepare()

    def _prepare(self) -> None:
        """Creates the series that exist from the start, so that a rate includes the first event."""
        Info("opswatch_build", "The version that runs.", registry=self._registry).info(
            {"version": __version__}
        )
        for outcome in ("ok", "failed"):
            self._evaluations.labels(outcome)
        ProcessCollector(registry=self._registry)
        self._registry.register(_MeasurementCollector(self))

    @property
    def observers(self) -> Observers:
        """The observers that count here."""
        return Observers(
            self._on_question,
            self._on_request,
            self._on_evaluation,
            self._on_rate_limit,
            self._on_event,
        )

    def observe_lag(self, seconds: float) -> None:
        """Records how late the event loop woke up."""
        self._lag.observe(seconds)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Everything in the format that the scraper accepts, and its content type."""
        # OpenMetrics or the older text format, whichever the scraper asks for.
        encode, content_type = exposition.choose_encoder(accept)
        return encode(self._registry), content_type

    def _on_question(self, command: str, outcome: str, seconds: float) -> None:
        self._questions.labels(command, outcome).inc()
        self._question_seconds.labels(command).observe(seconds)

    def _on_request(self, outcome: RequestOutcome) -> None:
        status = NO_ANSWER if outcome.status is None else str(outcome.status)
        self._requests.labels(outcome.account, status).inc()
        self._request_seconds.labels(outcome.account).observe(outcome.seconds)

    def _on_evaluation(self, failed: bool, delay: timedelta) -> None:
        self._evaluations.labels("failed" if failed else "ok").inc()
        # A clock that was set back between the two times makes the delay negative.
        self._evaluation_delay.observe(max(0.0, delay.total_seconds()))
        if delay > LATE_AFTER:
            self._late_evaluations.inc()

    def _on_rate_limit(self, method: str) -> None:
        self._rate_limited.labels(method).inc()

    def _on_event(self, target: str, accepted: bool) -> None:
        self._events.labels(target, "ok" if accepted else "failed").inc()


class _MeasurementCollector(Collector):
    """The measurements of a scrape; an account or a state that no longer exists has no series."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> Sequence[Metric]:
        """The metric names. Without them, the registry would collect once to find them."""
        return [*self.collect()]

    def collect(self) -> Iterator[Metric]:
        """All measurements as metrics."""
        now = self._metrics.measurements
        yield _gauge("opswatch_ready", "1 while /readyz returns 200.", now.ready)
        yield from _connection(now)
        yield from _outbox(now)
        yield from _database(now)
        yield from _reloads(now)
        yield _alerts(now)
        yield from _accounts(now)


def _connection(now: Measurements) -> Iterator[Metric]:
    yield _gauge("opswatch_slack_connected", "1 while connected to Slack.", now.slack_connected)
    yield CounterMetricFamily(
        "opswatch_slack_reconnects",
        "Connections to Slack opened after the first, including those that Slack asked for.",
        value=now.slack_reconnects,
    )
    if now.last_event_at is not None:
        yield _gauge(
            "opswatch_slack_last_event_timestamp_seconds",
            "When the last event from Slack arrived.",
            now.last_event_at.timestamp(),
        )


def _outbox(now: Measurements) -> Iterator[Metric]:
    yield _gauge("opswatch_outbox_messages", "Messages waiting to be sent.", now.outbox_messages)
    yield _gauge(
        "opswatch_outbox_oldest_age_seconds",
        "How long the oldest message has been waiting; 0 if there is none.",
        now.outbox_oldest_age.total_seconds(),
    )


def _database(now: Measurements) -> Iterator[Metric]:
    yield _gauge(
        "opswatch_database_up", "1 while the database can be read and written.", now.database_up
    )
    yield _gauge(
        "opswatch_database_size_bytes",
        "The database on the disk, with its write-ahead log.",
        now.database_bytes,
    )


def _reloads(now: Measurements) -> Iterator[Metric]:
    yield _gauge(
        "opswatch_config_last_reload_successful",
        "1 if the last configuration that was read is in effect.",
        now.reload_successful,
    )
    if now.configured_at is not None:
        yield _gauge(
            "opswatch_config_last_reload_success_timestamp_seconds",
            "When the configuration in effect was read.",
            now.configured_at.timestamp(),
        )


def _alerts(now: Measurements) -> Metric:
    family = GaugeMetricFamily(
        "opswatch_alerts", "Alerts by their state at the last check.", labels=["state"]
    )
    for state, count in now.alerts.items():
        family.add_metric([state], count)
    return family


def _accounts(now: Measurements) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "opswatch_provider_up",
        "1 while requests to an account are answered.",
        labels=["account"],
    )
    left = GaugeMetricFamily(
        "opswatch_provider_quota_remaining_requests",
        "Requests that may still be made within a vendor's limit.",
        labels=["account", "limit"],
    )
    limits = GaugeMetricFamily(
        "opswatch_provider_quota_requests",
        "Requests that a vendor's limit allows.",
        labels=["account", "limit"],
    )
    for status in now.accounts:
        up.add_metric([status.account], 0 if status.problem else 1)
        for quota in status.left:
            left.add_metric([status.account, quota.what], quota.left)
            limits.add_metric([status.account, quota.what], quota.of)
    yield from (up, left, limits)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)
