"""Runs the steps of the Containerfile in a clean folder, where no container builder is at hand.

python -m tests.support.image_steps
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
# The folders of the image that its steps name; in the clean folder they are below its top.
FOLDERS = ("locks", "tools", "opt/opswatch", "src", "wheels")
STEP_TIMEOUT_S = 900
NO_INDEX = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "ProxyError",
    "Read timed out",
)
# What leads pip to a package index.
NETWORK_VARIABLES = re.compile(r"PIP_.*|.*_proxy|SSL_CERT_(?:FILE|DIR)", re.IGNORECASE)
# What the finished image is asked.
QUESTIONS = (
    ("--version",),
    ("init", "bot.toml"),
    ("manifest",),
    ("ask", "/usage help", "--config", "empty.toml"),
)

Instruction = tuple[str, str]


def instructions(text: str) -> list[Instruction]:
    """The instructions of a Containerfile, with continued lines joined and without comments."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, _, rest = line.partition(" ")
        found.append((name, rest.strip()))
    return found


def build_stage(text: str) -> list[Instruction]:
    """The instructions of the first stage, which installs the program."""
    every = instructions(text)
    starts = [number for number, (name, _) in enumerate(every) if name == "FROM"]
    return every[starts[0] + 1 : starts[1]]


def copy_context(target: Path) -> None:
    """Copies the files that .dockerignore lets through, as a builder would get them."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for name in (line[1:] for line in lines if line.startswith("!")):
        for path in ROOT.glob(name):
            place = target / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(path, place, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(path, place)


def run_steps(top: Path) -> Path:
    """Runs the first stage below a folder, and returns the path of the program. Raises
    CalledProcessError if a step fails.
    """
    context = top / "context"
    environ = {"PATH": os.environ["PATH"], "HOME": str(top)}
    for name, value in os.environ.items():
        if NETWORK_VARIABLES.fullmatch(name):
            environ[name] = value
    copy_context(context)
    for name, rest in build_stage(CONTAINERFILE.read_text()):
        if name == "ENV":
            environ |= dict(pair.split("=", 1) for pair in rest.split())
        elif name == "COPY":
            _copy(context, top, rest.split())
        elif name == "RUN":
            command = rest.replace("python -m venv", f"{sys.executable} -m venv")
            run(_below(top, command), top, environ)
        else:
            raise AssertionError(f"{name} is not carried out here")
    return top / "opt" / "opswatch" / "bin" / "opswatch"


def run(command: str, cwd: Path, environ: dict[str, str]) -> str:
    """The output of a command. Raises CalledProcessError with that output if it fails."""
    ran = subprocess.run(
        ["sh", "-ec", command],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=STEP_TIMEOUT_S,
    )
    if ran.returncode:
        raise subprocess.CalledProcessError(ran.returncode, command, ran.stdout, ran.stderr)
    return ran.stdout


def ask(program: Path, top: Path) -> None:
    """Checks that the installed program works without a checkout and without packages that only
    tests need.
    """
    data = top / "data"
    data.mkdir()
    (data / "empty.toml").write_text("")
    for words in QUESTIONS:
        quoted = " ".join(f"'{word}'" for word in words)
        run(f"'{program}' {quoted}", data, {"PATH": "/usr/bin:/bin", "HOME": str(data)})
        print(f"ok  opswatch {quoted}")


def _copy(context: Path, top: Path, words: list[str]) -> None:
    *sources, target = words
    place = Path(_below(top, target))
    place.mkdir(parents=True, exist_ok=True)
    for source in sources:
        path = context / source
        if path.is_dir():
            shutil.copytree(path, place, dirs_exist_ok=True)
        else:
            shutil.copy(path, place)


def _below(top: Path, command: str) -> str:
    """The command with the image's folders moved below the clean one."""
    names = "|".join(re.escape(name) for name in FOLDERS)
    return re.sub(rf"(?<![\w./-])/(?=(?:{names})(?:/|\b))", f"{top}/", command)


def main() -> int:
    """0 if every step and every question works, or if no package index can be reached."""
    with tempfile.TemporaryDirectory(prefix="opswatch-image-") as folder:
        try:
            ask(run_steps(Path(folder)), Path(folder))
        except subprocess.CalledProcessError as error:
            print(f"{error.cmd}\n{error.stdout}\n{error.stderr}", file=sys.stderr)
            if any(sign in error.stderr for sign in NO_INDEX):
                print("Skipped: no package index can be reached.")
                return 0
            return 1
    print("The steps of the Containerfile work.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
