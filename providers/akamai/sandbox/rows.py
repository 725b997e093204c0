"""The recorded calls of the stand-in, and how either report spells them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from providers.sandbox.pieces import in_pieces

# v2 calls three columns by other names.
V2_COLUMNS = {
    "authorizationClientToken": "clientToken",
    "requestMethod": "method",
    "requestUri": "uri",
}
_SECONDS_BETWEEN_CALLS = 97
_CLIENTS = (
    ("ada@example.com", "akab-ada", "terraform", "203.0.113.7", 0.03),
    ("grace@example.com", "akab-grace", "purge-job", "203.0.113.9", 0.02),
    ("linus@example.com", "akab-linus", "old-script", "198.51.100.4", 0.45),
)
_CALLS = (
    ("get", "papi/v1/properties"),
    ("post", "ccu/v3/invalidate/url/production"),
    ("get", "reporting-api/v1/reports"),
    ("put", "papi/v1/properties/prp_42/versions/7/rules"),
    ("delete", "edgeworkers/v1/ids/7"),
)


def example_rows(start: datetime, end: datetime) -> Iterator[dict[str, str]]:
    """Recorded calls, the same for the same time: a few clients, one of which fails often."""
    first = -(-int(start.timestamp()) // _SECONDS_BETWEEN_CALLS) * _SECONDS_BETWEEN_CALLS
    tick = first
    last = end.timestamp()
    while tick < last:
        yield _example_row(tick)
        tick += _SECONDS_BETWEEN_CALLS


# As many as a window of the 92 days that are kept.
@lru_cache(maxsize=100_000)
def _example_row(tick: int) -> dict[str, str]:
    """The call at one instant. Cached, since a window is requested again in halves."""
    spread = random.Random(tick)
    owner, token, client, ip, failure_rate = _CLIENTS[min(2, int(spread.random() ** 1.5 * 3.2))]
    method, uri = spread.choice(_CALLS)
    code = (
        spread.choice(("429", "503", "403", "500"))
        if spread.random() < failure_rate
        else spread.choice(("200", "200", "201", "304"))
    )
    return {
        "clientId": client,
        "clientIp": ip,
        "clientOwner": owner,
        "clientToken": token,
        "method": method,
        "responseCode": code,
        "timestamp": datetime.fromtimestamp(tick, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "uri": f"akab-example.luna.akamaiapis.net/{uri}",
    }


def v2_value(row: dict[str, str], name: str) -> Any:
    """A column of a row as v2 spells it."""
    value = row[V2_COLUMNS.get(name, name)]
    if name == "requestMethod":
        return value.upper()
    return int(value) if name == "responseCode" and value.isdigit() else value


async def as_csv(
    metadata: dict[str, Any], metrics: list[str], rows: Iterable[dict[str, str]]
) -> str:
    """A v1 report as CSV with its sections."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    out.write("#METADATA_START\n")
    for key in (
        "name",
        "version",
        "start",
        "end",
        "availableDataEnds",
        "suggestedRetryTime",
        "rowCount",
        "objectType",
    ):
        writer.writerow([key, metadata[key] if metadata[key] is not None else ""])
    writer.writerow(["objectIds", *metadata["objectIds"]])
    for entry in metadata["filters"]:
        writer.writerow([entry["name"], *entry["values"]])
    out.write(
        "#METADATA_END\n\n#SUMMARYSTATISTICS_START\n\n#SUMMARYSTATISTICS_END\n\n#COLUMNS_START\n"
    )
    writer.writerow(metrics)
    out.write("#COLUMNS_END\n\n#DATA_START\n")
    async for piece in in_pieces(rows):
        writer.writerows([row[name] for name in metrics] for row in piece)
    out.write("#DATA_END\n")
    return out.getvalue()
