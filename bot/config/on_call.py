"""On-call schedules: files beside `bot.toml`, read with it and again when it is reloaded."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PrivateAttr, model_validator

from bot.alerts.on_call import OnCallSchedule, schedule_from_csv, schedule_from_table
from bot.alerts.paging import TARGET_NAME
from bot.config.lines import syntax_problem
from bot.config.targets import WRONG_NAME
from providers.settings import ReadableFile, Table

MOST_BYTES = 1_000_000
_WANTED = "a schedule as TOML (.toml) or CSV (.csv)"


class OnCallSettings(Table):
    file: ReadableFile
    """Who is on call when: a TOML file with rotations, shifts and overrides, or a CSV file of shifts."""

    _schedule: OnCallSchedule = PrivateAttr(default_factory=OnCallSchedule)

    @property
    def schedule(self) -> OnCallSchedule:
        return self._schedule

    @model_validator(mode="after")
    def _read(self) -> OnCallSettings:
        self._schedule = read_schedule(self.file)
        return self


def _on_call_name(value: object) -> str:
    # Names are typed beside handles, channels and targets.
    if isinstance(value, str) and TARGET_NAME.fullmatch(value):
        return value
    raise ValueError(WRONG_NAME)


OnCallName = Annotated[str, BeforeValidator(_on_call_name)]


def read_schedule(path: Path) -> OnCallSchedule:
    """The schedule in the file. Raises ValueError, which says what would be right."""
    try:
        with path.open("rb") as file:
            # Bounded here, since the file may grow, or be another one, after its size was read.
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(f"{_WANTED} below 1 MB")
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        if path.suffix.lower() == ".csv":
            return schedule_from_csv(text)
        return schedule_from_table(_toml(text))
    except (OSError, UnicodeDecodeError, RecursionError):
        # The messages of these quote what the file holds.
        raise ValueError(_WANTED) from None
    except ValueError as error:
        raise ValueError(
            f"{_WANTED}: {error}" if _WANTED not in str(error) else str(error)
        ) from None


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{_WANTED}: {syntax_problem(text, error)}") from None
    except ValueError:
        # Also a number of thousands of digits.
        raise ValueError(_WANTED) from None
