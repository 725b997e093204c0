"""Describes what is wrong with the configuration: the key, the value (never a secret), and what
would be right.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from msgspec.structs import replace
from pydantic import BaseModel

from bot import formatting
from bot.config.accounts import Detail, kind_of
from bot.config.lines import lines_of_keys
from bot.config.settings import Settings
from bot.config.tables import TABLES, AccessSettings
from bot.errors import ConfigProblem
from bot.notifications.kinds import KINDS, secret_keys
from bot.placeholders import PLACEHOLDER, Place
from providers.registry import registry
from providers.settings import SERVER_SCHEMES


def problem_of(detail: Detail, table: Mapping[str, Any]) -> ConfigProblem:
    """One finding of the validator as a ConfigProblem."""
    place = [
        part
        for part in detail["loc"]
        # Pydantic adds its own validators to the path, which nobody has written.
        if not (
            isinstance(part, str)
            and ("function-before" in part or "constrained-str" in part or part == "[key]")
        )
    ]
    key = _dotted(place, table)
    if detail["type"] == "extra_forbidden":
        return ConfigProblem(key, "", f"an unknown key{_suggest_key(place, table)}")
    if detail["type"] == "missing":
        return ConfigProblem(key, "", "is missing")
    # `[alert]` in place of `[[alert]]` is the commonest mistake with TOML.
    if detail["type"] == "tuple_type" and len(place) == 1:
        return ConfigProblem(key, "", f"each is an entry of its own, [[{key}]]")
    if detail["type"] == "kind":
        return _kind_problem(key, _lookup(place, table), is_target=place[0] == "targets")
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if detail["type"] == "literal_error":
        message = f"must be one of {message.replace(' or ', ', ')}"
    right = next(
        (expected for kind, expected in _EXPECTED.items() if detail["type"].startswith(kind)),
        message,
    )
    return ConfigProblem(
        key,
        _shown(place, table),
        right.format_map(detail.get("ctx", {})) if right != message else message,
    )


def with_lines(
    problems: Iterable[ConfigProblem], name: str, text: str, table: Mapping[str, Any]
) -> list[ConfigProblem]:
    """The problems, each with its line in the file of this name; what is missing, with the line of
    its table.
    """
    lines = {_dotted(list(place), table): line for place, line in lines_of_keys(text).items()}
    found = [(_line_of(problem.key, lines), problem) for problem in problems]
    # What is in no line, such as a variable of the environment, comes last.
    found.sort(key=lambda each: each[0] or len(text))
    return [
        replace(problem, place=f"{name}, line {line}") if line else problem
        for line, problem in found
    ]


def _line_of(key: str, lines: Mapping[str, int]) -> int | None:
    while key not in lines and "." in key:
        key = key.rpartition(".")[0]
    return lines.get(key)


def _dotted(place: list[Any], table: Mapping[str, Any]) -> str:
    return ".".join(_entry_name(place[: n + 1], table) for n in range(len(place)))


def unfilled_problem(place: Place, table: Mapping[str, Any]) -> ConfigProblem:
    """A value that still is the placeholder of `init`."""
    # A list is filled in as a whole.
    named = list(place[:-1] if isinstance(place[-1], int) else place)
    key = _dotted(named, table)
    return ConfigProblem(
        key, "", f"still says {PLACEHOLDER}; write your own value{_field_words(named, table)}"
    )


def _field_words(place: list[Any], table: Mapping[str, Any]) -> str:
    """`, one of us, us2, …` where an account's setting has such a list; else nothing."""
    if len(place) != 3 or place[0] != "providers":
        return ""
    kind = kind_of(_lookup(place[:2], table))
    provider = registry().providers.get(kind)
    field = provider.settings.model_fields.get(str(place[2])) if provider else None
    choices = [
        str(choice)
        for part in get_args(field.annotation if field else None)
        if get_origin(part) is Literal
        for choice in get_args(part)
    ]
    return f", one of {', '.join(choices)}" if choices else ""


def _kind_problem(key: str, account: Any, *, is_target: bool) -> ConfigProblem:
    if not isinstance(account, Mapping):
        return ConfigProblem(
            key, repr(account) if isinstance(account, int | float) else "", "a table of its own"
        )
    kind = account.get("kind")
    right = _kinds_in_words(KINDS) if is_target else _known_kinds()
    shown = formatting.truncate(repr(kind), 80) if isinstance(kind, str | int | float) else ""
    return ConfigProblem(f"{key}.kind", shown, right)


def _known_kinds() -> str:
    """The kinds that exist, and the plug-ins that were skipped."""
    known = _kinds_in_words(registry().providers)
    return "; ".join([known, *(str(each).rstrip(".") for each in registry().problems)])


def _kinds_in_words(kinds: Iterable[str]) -> str:
    return f"must be one of {', '.join(map(repr, kinds))}"


# A link with a user, and so perhaps with a password.
_MAY_HAVE_PASSWORD = re.compile(r"//[^/]{0,300}@")
# What would be right, by the validator's type of finding.
_EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "tuple_": 'a list, such as ["…", "…"]',
        "int_": "a whole number, without quotes",
        "bool_": "true or false, without quotes",
        "string_type": "a text in quotes",
        "string_too_short": "a text that is not empty",
        "string_too_long": "a text of at most {max_length} characters",
        "greater_than_equal": "a number of at least {ge}",
        "less_than_equal": "a number of at most {le}",
        "dict_": "a table of its own",
        "model_": "a table of its own",
    }
)


def _entry_name(place: list[Any], table: Mapping[str, Any]) -> str:
    """`alert.ingest-spike` rather than `alert.0` where the entry has a name."""
    if isinstance(place[-1], int) and len(place) > 1:
        entry = _lookup(place, table)
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str) and entry["name"]:
            return formatting.sanitise(entry["name"], 60)
    return formatting.sanitise(str(place[-1]), 60)


def _shown(place: list[Any], table: Mapping[str, Any]) -> str:
    """The value as it may be shown: never a secret, and never a whole table."""
    secret = secret_keys() if place and place[0] == "targets" else registry().secret_keys
    # Also where the key is written in another case, which makes it an unknown key.
    if any(str(part).lower() in secret for part in place[1:]):
        return ""
    value = _lookup(place, table)
    # A reference says where a secret is, and a URL may hold a password.
    if isinstance(value, str) and (
        value.lower().startswith(("env:", "file:", *SERVER_SCHEMES))
        or _MAY_HAVE_PASSWORD.search(value)
    ):
        return ""
    return (
        formatting.truncate(repr(value), 80) if isinstance(value, str | int | float | bool) else ""
    )


def _lookup(place: list[Any], table: Any) -> Any:
    for part in place:
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            return None
    return table


def _suggest_key(place: list[Any], table: Mapping[str, Any]) -> str:
    """The key that was probably intended."""
    model: type[BaseModel] = Settings
    if len(place) > 2 and place[0] == "providers":
        model = registry().providers[kind_of(_lookup(place[:2], table))].settings
    elif len(place) > 2 and place[0] == "targets":
        model = KINDS[kind_of(_lookup(place[:2], table))].settings
    elif len(place) > 1:
        model = TABLES.get(str(place[0]), Settings)
    known = (
        AccessSettings.keys()
        if model is AccessSettings
        else [field.alias or name for name, field in model.model_fields.items()]
    )
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; the keys are {', '.join(known)}"
