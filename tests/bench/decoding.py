"""How fast vendors' rows become a report, beside `json.loads` of the same bytes."""

from __future__ import annotations

import json
import statistics
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.commands.apiaudit.novelty import AccountHistory, seen_days
from bot.commands.apiaudit.report import AuditFacts, audit_report
from bot.commands.apiaudit.table import CSV_HEADER, csv_rows
from bot.reports.seen_values import SeenDay, SeenSet, midnight
from bot.reports.sheets import csv_bytes
from providers.akamai import parse as akamai
from providers.akamai.calls import api_call as akamai_call
from providers.akamai.sandbox import example_rows
from providers.devicewise import parse as devicewise
from providers.devicewise.calls import api_call as devicewise_call
from providers.models import Window
from tests.bench.results import Results, in_turns, pair_ratios

NOW = datetime.now(UTC)
DAY = Window(NOW - timedelta(days=1), NOW)


async def decoding(results: Results, *, full: bool) -> None:
    """Akamai's rows, and TR50 rows with JSON in strings."""
    _akamai(results)
    _novelty(results)
    _devicewise(results, 100_000 if full else 20_000)


def _akamai(results: Results) -> None:
    one = list(example_rows(NOW - timedelta(days=5), NOW))

    def body_of(count: int) -> bytes:
        return json.dumps(
            {"metadata": {"rowCount": count}, "data": (one * (count // len(one) + 1))[:count]}
        ).encode()

    def report(body: bytes, with_csv: bool = False) -> None:
        calls = [
            akamai_call(row, account="edge", own_token="x")
            for row in akamai.json_report(body, account="edge").rows
        ]
        audit_report(AuditFacts(("edge",), DAY, calls, complete=True))
        if with_csv:
            csv_bytes(CSV_HEADER, csv_rows(calls))

    body = body_of(25_000)
    small = body_of(2_500)
    reference, reference_tenth, ours, with_csv, tenth = in_turns(
        lambda: json.loads(body),
        lambda: json.loads(small),
        lambda: report(body),
        lambda: report(body, True),
        lambda: report(small),
    )
    shown = f"json.loads {statistics.median(reference):.0f} ms"
    for what, taken, target in (("report out", ours, 2.0), ("report and CSV out", with_csv, 5.0)):
        results.add(
            f"25,000 Akamai rows: bytes in, {what}",
            f"{statistics.median(taken):.0f} ms",
            shown,
            pair_ratios(taken, reference),
            target,
        )
    as_json = statistics.median(pair_ratios(reference, reference_tenth))
    grown = [each / as_json for each in pair_ratios(ours, tenth)]
    results.add(
        "ten times as many Akamai rows",
        f"{statistics.median(ours) / statistics.median(tenth):.1f} times",
        f"json.loads {as_json:.1f} times",
        grown,
        1.2,
    )


def _novelty(results: Results) -> None:
    """A report of 25,000 calls compared with the 30 days before, beside the report alone."""
    body = json.dumps(
        {"metadata": {}, "data": list(example_rows(NOW - timedelta(days=5), NOW))}
    ).encode()
    one = [
        akamai_call(row, account="edge", own_token="x")
        for row in akamai.json_report(body, account="edge").rows
    ]
    calls = [
        replace(one[n % len(one)], at=NOW - timedelta(seconds=3 * n), ip=f"10.0.{n % 4}.{n % 200}")
        for n in range(25_000)
    ]
    before = Window(DAY.start - timedelta(days=30), DAY.start)
    known = {}
    for number, day in enumerate(before.days.each()):
        earlier = [
            replace(call, at=midnight(day) + timedelta(seconds=60 * n))
            for n, call in enumerate(calls[number : number + 1200])
        ]
        [known[day]] = seen_days(earlier, Window(midnight(day), midnight(day) + timedelta(days=1)))

    def report(*, compared: bool) -> None:
        # Unpacked again for each answer, as they come from the database.
        days = {
            day: SeenDay(
                day, {kind: SeenSet(each.packed) for kind, each in seen.sets.items()}, seen.covered
            )
            for day, seen in known.items()
        }
        histories = {"edge": AccountHistory(before, days)} if compared else {}
        audit_report(AuditFacts(("edge",), DAY, calls, complete=True, histories=histories))

    # Each takes a few milliseconds, and the row is near its target.
    alone, ours = in_turns(lambda: report(compared=False), lambda: report(compared=True), times=15)
    results.add(
        "25,000 calls: the report with what is new",
        f"{statistics.median(ours):.1f} ms",
        f"the report alone {statistics.median(alone):.1f} ms",
        pair_ratios(ours, alone),
        1.3,
    )


def _devicewise(results: Results, count: int) -> None:
    pages = tr50_pages(count)

    def ours() -> None:
        calls = []
        for page in pages:
            found = devicewise.list_page(page, account="iot")
            assert isinstance(found, devicewise.Page)
            calls += [devicewise_call(row, account="iot", whoami="x") for row in found.rows]
        audit_report(AuditFacts(("iot",), DAY, calls, complete=True))

    def reference() -> None:
        for page in pages:
            for row in json.loads(page)["list"]["params"]["result"]:
                json.loads(row["request"])
                json.loads(row["response"])

    known, taken = in_turns(reference, ours)
    results.add(
        f"{count:,} TR50 rows with nested JSON, report out",
        f"{statistics.median(taken):.0f} ms",
        f"json.loads {statistics.median(known):.0f} ms",
        pair_ratios(taken, known),
        0.35,
    )


def tr50_pages(count: int) -> list[bytes]:
    """Pages of 2,000 rows, 400 bytes each, from two hundred things that each repeat the same six
    requests.
    """
    things = 200
    commands = (
        "thing.list",
        "thing.find",
        "location.publish",
        "alarm.publish",
        "property.publish",
        "session.info",
    )
    rows = []
    for n in range(count):
        command = commands[n % 6]
        thing = f"oven-{n * 7919 % things}"
        request = {
            "1": {
                "Command": command,
                "SessionId": "",
                "Params": {"thingKey": thing, "offset": 0, "limit": 100},
            }
        }
        reply = {
            "success": True,
            "params": {"count": 1, "result": [{"key": thing, "name": "Oven", "defName": "Oven"}]},
        }
        failed = {"success": False, "errorCodes": [-90008], "errorMessages": ["Thing not found"]}
        at = (
            (NOW - timedelta(seconds=n % 80_000))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        rows.append(
            {
                "ts": at, "execTime": 20_000_000 + n, "processedBy": f"ip-10-200-40-{n % 7}", "orgId": "52f7a7c1e4b0", "orgKey": "KITCHEN",
                "whoami": f"ada-{n % 40}@example.com", "request": json.dumps(request), "response": json.dumps({"1": failed if n % 25 == 0 else reply}),
            }
        )  # fmt: skip
    pages = [rows[at : at + 2000] for at in range(0, count, 2000)]
    return [
        json.dumps({"list": {"success": True, "params": {"count": count, "result": page}}}).encode()
        for page in pages
    ]
