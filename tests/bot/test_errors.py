"""Errors define how they are shown and logged, and the exit code of a command."""

from __future__ import annotations

import logging
import sqlite3

import pytest

from bot.errors import (
    AccessDenied,
    BadQuestion,
    ConfigError,
    ConfigProblem,
    SlackDeliveryUnknown,
    SlackRefused,
    SlackUnreachable,
)
from handlers.error_messages import Cancelled, Lost, Stopping, error_message
from providers.errors import AuthFailed, Incomplete, ProtocolError, ProviderError, RateLimited


def of(error: type[ProviderError]) -> ProviderError:
    return error("edge is away.", account="edge", hint="Try again.")


@pytest.mark.parametrize(
    ("error", "kind", "exit_code", "may_retry", "level"),
    [
        (BadQuestion("No.", "/usage"), "bad_question", 2, False, logging.DEBUG),
        (AccessDenied("No."), "refused", 4, False, logging.DEBUG),
        (ConfigError([ConfigProblem("a", "", "b")]), "bad_config", 2, False, logging.WARNING),
        (of(AuthFailed), "auth", 3, False, logging.INFO),
        (of(RateLimited), "rate_limited", 3, True, logging.INFO),
        (of(ProtocolError), "protocol", 3, False, logging.INFO),
        (of(Incomplete), "incomplete", 3, True, logging.INFO),
        (SlackRefused("is_archived"), "slack", 3, True, logging.WARNING),
        (SlackUnreachable(), "slack", 3, True, logging.WARNING),
        (SlackDeliveryUnknown(), "slack", 3, True, logging.WARNING),
        (Cancelled(), "cancelled", 1, False, logging.DEBUG),
        (Stopping(), "cancelled", 1, True, logging.DEBUG),
        (Lost("/usage"), "cancelled", 1, True, logging.DEBUG),
        (sqlite3.OperationalError("disk full"), "internal", 1, True, logging.ERROR),
        (KeyError("secret"), "internal", 1, True, logging.ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_error_is_mapped_by_its_attributes(
    error: Exception, kind: str, exit_code: int, may_retry: bool, level: int
) -> None:
    shown = error_message(error)
    assert (shown.kind, shown.exit_code, shown.may_retry, shown.log_level) == (
        kind,
        exit_code,
        may_retry,
        level,
    )
    assert shown.message.endswith((".", "b"))
    assert shown.provider == getattr(error, "account", None)


def test_unexpected_error_keeps_its_details_to_the_log() -> None:
    assert "secret" not in error_message(KeyError("secret")).text


def test_new_error_needs_no_new_mapping() -> None:
    class Paused(Exception):
        kind = "paused"
        account = None
        may_retry = True
        exit_code = 3
        log_level = logging.INFO
        message = "Paused."
        hint = "Wait."

    shown = error_message(Paused())
    assert (shown.kind, shown.message, shown.exit_code) == ("paused", "Paused.", 3)


def test_refusal_without_a_form_offers_none() -> None:
    blocks = error_message(BadQuestion("It no longer exists.")).blocks("/gone last 7 days")
    assert [block["type"] for block in blocks] == ["section"]
