"""Runs `python -m MODULE` in separate processes that need not import anything first: a server
imports the bot once and forks a process for each run.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tests.support.clock import OFFSET, PROCESS_CLOCK

ROOT = Path(__file__).parents[2]
# What nearly every run imports. A run that tests what is imported needs a process of its own.
MODULES = ("bot.cli.main", "bot.cli.ask", "bot.cli.check", "bot.cli.backtest", "bot.app")
LONGEST_REQUEST = 1_000_000


@dataclass
class RunningProgram:
    """A program that was started."""

    pid: int
    _connection: socket.socket
    _lines: BinaryIO

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout_s: float = 60) -> int:
        """The exit code as `subprocess` gives it: negative for the signal that ended it. A program
        that has not ended in time is killed.
        """
        self._connection.settimeout(timeout_s)
        try:
            return int(self._lines.readline())
        except TimeoutError:
            self.kill()
            raise AssertionError(f"the program has not ended within {timeout_s:.0f} s") from None
        finally:
            self._lines.close()
            self._connection.close()


@dataclass(frozen=True)
class ProgramServer:
    """Starts programs."""

    address: str

    def start(
        self,
        module: str,
        words: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        stdout: int,
        stderr: int,
    ) -> RunningProgram:
        """Starts `python -m MODULE WORDS` with these files as its output and an empty input."""
        request = {"module": module, "words": words, "cwd": str(cwd), "environ": dict(environ)}
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(self.address)
        body = json.dumps(request).encode()
        socket.send_fds(connection, [b"%08d" % len(body)], [stdout, stderr])
        connection.sendall(body)
        lines = connection.makefile("rb")
        return RunningProgram(int(lines.readline()), connection, lines)

    def run(
        self, module: str, words: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, as `subprocess.run` does with `capture_output` and `text`."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            program = self.start(
                module, words, cwd=cwd, environ=environ, stdout=out.fileno(), stderr=err.fileno()
            )
            code = program.wait()
            out.seek(0)
            err.seek(0)
            texts = [file.read().decode() for file in (out, err)]
        return subprocess.CompletedProcess([module, *words], code, *texts)


@contextmanager
def open_program_server() -> Iterator[ProgramServer]:
    """A server of programs, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="programs-of-tests-") as folder:
        address = f"{folder}/socket"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.prestarted", address],
            cwd=ROOT,
            # Each program moves its own clock.
            env={k: v for k, v in os.environ.items() if k not in {OFFSET, "PYTHONPATH"}},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline() == b"ready\n"
            yield ProgramServer(address)
        finally:
            process.stdin.close()
            process.wait()
            process.stdout.close()


def main() -> None:
    """Serves until the input ends. In the process of a program, runs that program."""
    for module in MODULES:
        __import__(module)
    # Programs share these objects with the server; collecting garbage would copy them.
    gc.collect()
    gc.freeze()
    if request := _next_program(sys.argv[1]):
        _become(request)
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def _next_program(address: str) -> dict[str, Any] | None:
    """Returns in each forked process with its program, and in the server with None at the end."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(16)
        print("ready", flush=True)
        # Those that wait for a program end by themselves.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:
                return None
            connection, _ = listener.accept()
            with connection:
                if not os.fork():
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    return _begin(connection)


def _begin(connection: socket.socket) -> dict[str, Any]:
    """Forks a process for the program, and reports its start and its end."""
    length, files, _, _ = socket.recv_fds(connection, 8, 2)
    body = b""
    while len(body) < int(length):
        body += connection.recv(LONGEST_REQUEST)
    program = os.fork()
    if not program:
        for number, file in enumerate(files, start=1):
            os.dup2(file, number)
            os.close(file)
        request: dict[str, Any] = json.loads(body)
        return request
    connection.sendall(b"%d\n" % program)
    _, status = os.waitpid(program, 0)
    with contextlib.suppress(OSError):
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """Applies the folder, the environment and the arguments of the program."""
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [request["cwd"], *filter(None, paths)]
    sys.argv = [request["module"], *request["words"]]
    if os.environ.get(OFFSET):
        runpy.run_path(str(PROCESS_CLOCK / "sitecustomize.py"))


if __name__ == "__main__":
    main()
