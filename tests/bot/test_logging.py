"""No secret in any log line, whoever wrote it."""

from __future__ import annotations

import logging

from pytest_mock import MockerFixture

from bot.__main__ import LOG_FORMATTER
from providers.redaction import Redactor, Secret


def test_a_log_line_and_its_traceback_hold_no_secret(mocker: MockerFixture) -> None:
    mocker.patch.object(LOG_FORMATTER, "redactor", Redactor([Secret("our-own-secret")]))
    try:
        raise ValueError("token=abc our-own-secret")
    except ValueError as error:
        record = logging.LogRecord(
            "x",
            logging.ERROR,
            "f",
            1,
            "Bearer %s",
            ("abcdefghijk",),
            (type(error), error, error.__traceback__),
        )
    told = LOG_FORMATTER.format(record)
    assert "abcdefghijk" not in told
    assert "our-own-secret" not in told
    assert "token=[redacted]" in told
