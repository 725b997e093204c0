"""The process that works on a long log is not stopped by the bot's terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]
# Run as the leader of a session, whose terminal it opens, as a shell that starts the bot.
SHELL = """
import os, signal, subprocess, sys, termios
terminal = os.open(sys.argv[1], os.O_RDWR)
settings = termios.tcgetattr(terminal)
settings[3] |= termios.TOSTOP
termios.tcsetattr(terminal, termios.TCSANOW, settings)
worker = subprocess.Popen(
    [sys.executable, "-m", "bot.logs.writer"],
    stdin=subprocess.DEVNULL, stderr=terminal, process_group=0,
)
_, status = os.waitpid(worker.pid, os.WUNTRACED)
if os.WIFSTOPPED(status):
    os.kill(worker.pid, signal.SIGKILL)
print("stopped" if os.WIFSTOPPED(status) else "ended")
"""


def test_traceback_to_terminal_stops_no_worker() -> None:
    ours, theirs = os.openpty()
    try:
        shell = subprocess.run(
            [sys.executable, "-c", SHELL, os.ttyname(theirs)],
            cwd=HOME,
            capture_output=True,
            text=True,
            timeout=60,
            start_new_session=True,
            check=True,
        )
        # First, since a stopped worker has written nothing that could be read.
        assert shell.stdout == "ended\n"
        assert "Traceback" in os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
