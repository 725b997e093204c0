"""The errors of Akamai's gateway and of its reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.http.decoding import decode_json


def is_about_our_clock(problem: Mapping[str, Any]) -> bool:
    """Whether the gateway refused the time of a signature; the report's own errors are about the
    window instead.
    """
    words = f"{problem.get('title')} {problem.get('detail')}".lower()
    return (
        # A wrong clock is HTTP 400 with “Invalid timestamp”, not 401
        # (terraform-provider-akamai#758).
        "timestamp" in words
        and not str(problem.get("type")).startswith("reporting.")
        and "errors" not in problem
    )


def is_about_bounds(problem: Mapping[str, Any]) -> bool:
    """Whether an error is about where a window begins and ends, such as that it must be divisible
    by an interval.
    """
    errors = problem.get("errors")
    parts = (
        [problem, *(e for e in errors if isinstance(e, dict))]
        if isinstance(errors, list)
        else [problem]
    )
    words = " ".join(
        str(part.get(key, "")) for part in parts for key in ("type", "title", "detail")
    ).lower()
    return any(word in words for word in ("date.range", "interval", "divisible", "aligned"))


def problem(body: bytes) -> Mapping[str, Any]:
    """An error body as a mapping; empty if it is HTML or anything else."""
    answer = decode_json(body)
    return answer if isinstance(answer, dict) else {}


def vendor_message(problem: Mapping[str, Any]) -> str:
    """The vendor's own words: title and detail of the gateway, or the titles in the report's
    `errors`.
    """
    errors = problem.get("errors")
    inner = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    words = [
        problem.get("title"),
        problem.get("detail"),
        *(e.get("title") or e.get("detail") for e in inner[:3]),
    ]
    return " – ".join(
        dict.fromkeys(word.strip() for word in words if isinstance(word, str) and word.strip())
    )[:400]
