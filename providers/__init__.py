"""Vendors, one folder each. Nothing in this package depends on Slack, on stored state, or on
anything above it.
"""

from __future__ import annotations

import sys

# httpx imports its own command line where that is installed, and with it Rich and Pygments, which
# take more than half of its import time. It works without where that import fails.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
