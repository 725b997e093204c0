"""Names of files that people download."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC

from providers.models import Window


def safe_name(name: str) -> str:
    """A log's name as a file name: letters, digits, `.`, `_` and `-` alone, and no dot at the
    front.
    """
    # No dot at the front, which would hide the file, and nothing that Windows refuses.
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:60] or "log"


def file_stem(names: Sequence[str], window: Window) -> str:
    """`kitchen+cellar-20261121T093000Z-20261121T095000Z`."""
    joined = "+".join(safe_name(name) for name in names)
    # File systems take 255 bytes.
    return f"{joined[:120]}-{window.start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{window.end.astimezone(UTC):%Y%m%dT%H%M%SZ}"
