"""Opens files that only their owner may read. It imports next to nothing, because the process that
works on a long log is to take little memory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

PRIVATE = 0o600
# Absent on Windows, where links need a privilege.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def private_opener(path: str, flags: int) -> int:
    """An `opener` for `open`: a new file is readable by its owner alone, and no link is
    followed.
    """
    # The mode is given at the creation: a chmod afterwards would leave a moment in which others can
    # read.
    return os.open(path, flags | NO_LINK, PRIVATE)


def open_private(path: Path, mode: str) -> IO[bytes]:
    """The file opened for its owner alone."""
    return open(path, mode, opener=private_opener)
