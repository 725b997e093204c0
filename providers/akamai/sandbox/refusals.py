"""The errors of the service, as its pages and its gateway spell them."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request the real service would refuse: status and body."""

    def __init__(self, status: int, body: dict[str, Any], kind: str = "application/json") -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.kind = kind


def gateway_error(status: int, kind: str, title: str, detail: str) -> Refusal:
    """What the gateway refuses before the report is asked."""
    body = {
        "type": f"https://problems.luna.akamaiapis.net/-/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "requestId": "1a2b",
    }
    return Refusal(status, body, "application/problem+json")


def report_error(
    status: int, kind: str, title: str, errors: list[dict[str, str]] | None = None
) -> Refusal:
    """What the report refuses."""
    body = {"type": f"reporting.re.{kind}", "title": title, "instance": "x"}
    return Refusal(status, {**body, "errors": errors or []})


def invalid_request(what: str, title: str = "") -> Refusal:
    """A 400 whose one error is of the type `what`."""
    error = {"type": f"reporting.re.{what}", "title": title or what.replace(".", " ").capitalize()}
    return report_error(400, "invalid.request", "Invalid request", [error])


def forbidden_objects(ids: list[str]) -> Refusal:
    """A 403 for account ids that the client may not read."""
    title = f"You don't have access to {', '.join(ids)}"
    error = {"type": "reporting.re.problem.forbidden.objects", "title": title}
    return report_error(403, "problem.forbidden", "Forbidden", [error])
