"""Modules and rules that the first text would load are loaded before it."""

from __future__ import annotations

import subprocess
import sys

from providers.redaction import Redactor
from providers.redaction.redactor import LONGEST_KNOWN, MOST_KNOWN
from tests.conftest import ROOT

PROGRAM = """
import sys
from providers.redaction import Redactor

redactor = Redactor()
redactor.prepare()
before = set(sys.modules)
redactor.text("/usage last 7 days, and a password=kitchen")
print(sorted(set(sys.modules) - before))
"""


def test_first_text_loads_no_module() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_secret_is_redacted_each_time_and_not_kept() -> None:
    redactor = Redactor()
    for _ in range(2):
        assert redactor.text("last 7 days") == "last 7 days"
        assert redactor.text("password=Tr0ub4dor&3") == "password=[redacted]"
    assert redactor._known == {"last 7 days"}


def test_known_texts_are_few_and_short() -> None:
    redactor = Redactor()
    for number in range(2 * MOST_KNOWN):
        redactor.text(f"log {number}")
    redactor.text("x" * 10_000)
    assert len(redactor._known) <= MOST_KNOWN
    assert max(map(len, redactor._known)) <= LONGEST_KNOWN
