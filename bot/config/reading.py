"""Reads the configuration: the file, the environment, and everything that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.config.accounts import Detail, read_accounts
from bot.config.consistency import bad_names, schedule_problems
from bot.config.problems import problem_of, unfilled_problem, with_lines
from bot.config.settings import Settings
from bot.config.targets import read_targets
from bot.config.toml import parse_table, read_table, read_text
from bot.errors import ConfigError, ConfigProblem
from bot.placeholders import placeholders
from providers.http.network import Network, NetworkSettingError, is_loopback
from providers.redaction import Secret
from providers.settings import DatabaseLocation


def read_settings(
    path: Path, *, environ: Mapping[str, str] = os.environ, now: datetime | None = None
) -> Settings:
    """The settings in the file. Raises ConfigError with every problem, and its line."""
    text = read_text(path)
    table = parse_table(path, text)
    try:
        return parse_settings(table, folder=path.resolve().parent, environ=environ, now=now)
    except ConfigError as error:
        problems = with_lines(error.problems, path.name, text, table)
        raise ConfigError(problems, error.hint) from None


class _DatabaseTable(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, defer_build=True)
    database: DatabaseLocation


def read_database_location(path: Path, *, environ: Mapping[str, str] = os.environ) -> Path | Secret:
    """The path or the URL of the database, whether or not the rest of the configuration is valid.
    Raises ConfigError.
    """
    # The default is given as if it were written, so that it, too, is relative to the file.
    return _database_location({"database": "bot.sqlite", **read_table(path)}, path, environ)


def read_server_url(
    reference: str, path: Path, *, environ: Mapping[str, str] = os.environ
) -> Secret:
    """The URL of a PostgreSQL database that a word of the command line refers to, as `database`
    does in the configuration at `path`. Raises ConfigError.
    """
    found = _database_location({"database": reference}, path, environ)
    if not isinstance(found, Secret):
        raise ConfigError([ConfigProblem("--to", reference, "env:NAME or file:PATH of a URL")])
    return found


def _database_location(
    given: Mapping[str, Any], path: Path, environ: Mapping[str, str]
) -> Path | Secret:
    try:
        return _DatabaseTable.model_validate(
            given, context={"folder": path.resolve().parent, "environ": environ}
        ).database
    except ValidationError as error:
        raise ConfigError([problem_of(detail, given) for detail in error.errors()]) from None


def parse_settings(
    table: Mapping[str, Any],
    *,
    folder: Path,
    environ: Mapping[str, str],
    now: datetime | None = None,
) -> Settings:
    """The settings in a table that was read from TOML. Raises ConfigError with every problem."""
    given = {"database": "bot.sqlite", **table}
    network, problems = _read_network(environ)
    problems += bad_names(table)
    settings, details = _validated(given, {"folder": folder, "environ": environ})
    unfilled = [*placeholders(given)]
    problems += [unfilled_problem(place, given) for place in unfilled]
    # What is left is valid by itself; only now can problems between the tables be found.
    problems += [problem_of(each, given) for each in details if tuple(each["loc"]) not in unfilled]
    if settings is not None:
        problems += schedule_problems(settings, given, now or datetime.now(UTC))
        problems += _certificate_problems(settings, network)
    if problems:
        raise ConfigError(problems)
    assert settings is not None
    return settings.with_network(network)


def _validated(
    given: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[Settings | None, list[Detail]]:
    """The settings, and the problems in the order of the tables. If there are problems, the
    settings are the valid part, so that problems between the other tables are found in the same
    run.
    """
    candidate = dict(given)
    details = list[Detail]()
    readers: Mapping[str, Callable[..., tuple[Any, list[Detail]]]] = {
        "providers": read_accounts,
        "targets": read_targets,
    }
    for key, read in readers.items():
        if isinstance(written := given.get(key), Mapping):
            candidate[key], found_there = read(written, context)
            details += found_there
    try:
        settings: Settings | None = Settings.model_validate(candidate, context=dict(context))
    except ValidationError as error:
        found: list[Detail] = list(error.errors())
        settings = _valid_part(candidate, found, context)
        details += found
    # In the order of the file, however they were found.
    details.sort(key=_place_of_table)
    return settings, details


def _place_of_table(detail: Detail) -> int:
    """Sorts problems by the order of the tables; unknown tables come last."""
    tables = list(Settings.model_fields)
    loc = detail["loc"]
    return tables.index(loc[0]) if loc and loc[0] in tables else len(tables)


def _valid_part(
    given: Mapping[str, Any], details: Sequence[Detail], context: Mapping[str, Any]
) -> Settings | None:
    """The settings without the tables and entries that have problems; None if nothing is left."""
    wrong = {
        detail["loc"][: 2 if detail["loc"][0] in _ENTRIES else 1]
        for detail in details
        if detail["loc"]
    }
    part: dict[str, Any] = {key: value for key, value in given.items() if (key,) not in wrong}
    for key in _ENTRIES & part.keys():
        if isinstance(part[key], list):
            part[key] = [
                entry for place, entry in enumerate(part[key]) if (key, place) not in wrong
            ]
    try:
        return Settings.model_validate({"database": "bot.sqlite", **part}, context=dict(context))
    except ValidationError:
        return None


_ENTRIES = frozenset({"digest", "alert", "mute", "button"})


def _read_network(environ: Mapping[str, str]) -> tuple[Network, list[ConfigProblem]]:
    """The proxies and certificates of the environment, and what is wrong with them."""
    left = dict(environ)
    problems = list[ConfigProblem]()
    while True:
        try:
            return Network.from_environ(left), problems
        except NetworkSettingError as error:
            problems.append(ConfigProblem(error.variable, "", error.expected))
            # Without the wrong variable the rest is read again, which may have other problems.
            for name in (error.variable.lower(), error.variable.upper()):
                left.pop(name, None)


def _certificate_problems(settings: Settings, network: Network) -> list[ConfigProblem]:
    """A certificate file that is damaged. All of it is read only if something needs it."""
    addresses = [account.address for account in settings.providers.values()]
    addresses += [target.url_address for target in settings.targets.values()]
    # Accounts on this machine need no certificates.
    if settings.providers and all(is_loopback(address) for address in addresses):
        return []
    try:
        _ = network.tls
    except NetworkSettingError as error:
        return [ConfigProblem(error.variable, "", error.expected)]
    return []
