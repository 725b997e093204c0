"""Modules and rules that the first text would load are loaded before it."""

from __future__ import annotations

import subprocess
import sys

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
