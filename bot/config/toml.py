"""Reads the file as TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from bot import formatting
from bot.config.lines import syntax_problem
from bot.errors import ConfigError, ConfigProblem

# A device or a wrong path must not be read into memory; no real configuration comes near.
MOST_CONFIG_BYTES = 4 * 1024 * 1024


def read_table(path: Path) -> dict[str, Any]:
    """The file as TOML. Raises ConfigError with one sentence if it is not."""
    return parse_table(path, read_text(path))


def read_text(path: Path) -> str:
    """The text of the file. Raises ConfigError with one sentence if it cannot be read."""
    try:
        # Reading a folder or a device fails with an error that says less.
        if path.exists() and not path.is_file():
            raise ConfigError(
                [ConfigProblem(str(path), "", "a file, such as bot.example.toml; this is a folder")]
            )
        if path.stat().st_size > MOST_CONFIG_BYTES:
            raise ConfigError(
                [
                    ConfigProblem(
                        str(path), "", f"a file below {formatting.format_bytes(MOST_CONFIG_BYTES)}"
                    )
                ]
            )
        # Editors on Windows write a byte order mark, which TOML does not allow.
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            [ConfigProblem(str(path), "", "there is no such file")],
            "Write one with `python -m bot init`, or name another with --config FILE.",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            [ConfigProblem(str(path), "", "the file is not UTF-8; save it as UTF-8")]
        ) from None
    except (OSError, ValueError) as error:
        why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        raise ConfigError([ConfigProblem(str(path), "", f"the file cannot be read{why}")]) from None


def parse_table(path: Path, text: str) -> dict[str, Any]:
    """The text of the file as TOML. Raises ConfigError with one sentence if it is not."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        wrong = f"not TOML: {syntax_problem(text, error)}"
    except ValueError:
        # Of a number with thousands of digits.
        wrong = "not TOML: a number is too long"
    # tomllib reads nested arrays by recursion.
    except RecursionError:
        wrong = "not TOML: it is nested too deep"
    raise ConfigError([ConfigProblem(str(path), "", wrong)])
