"""The fixed texts at which a secret may begin, and the rule that decides at each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, NamedTuple

from providers.patterns import lazy_pattern
from providers.redaction.addresses import ADDRESS_HINTS, address_secrets
from providers.redaction.commands import COMMAND_HINTS, command_secrets
from providers.redaction.common_shapes import COMMON_SHAPES
from providers.redaction.devices import DEVICE_HINTS, device_secrets
from providers.redaction.kubernetes import KUBERNETES_HINTS, kubernetes_secrets
from providers.redaction.logins import EXACT_LOGIN_HINTS, LOGIN_HINTS, login_secrets
from providers.redaction.modems import MODEM_HINTS, modem_secrets
from providers.redaction.multiline import MULTILINE_HINTS
from providers.redaction.named import (
    EXACT_NAME_HINTS,
    FOREIGN_HINTS,
    NAME_HINTS,
    foreign_named_secrets,
    named_secrets,
)
from providers.redaction.phrases import PHRASE_HINTS, phrase_secrets
from providers.redaction.scan import TextScan, text_scan
from providers.redaction.schemes import SCHEME_HINTS, scheme_secrets
from providers.redaction.token_rules import Rule, token_rules
from providers.redaction.tools import EXACT_TOOL_HINTS, TOOL_HINTS, tool_secrets
from providers.redaction.vendors import VENDOR_HINTS, vendor_secrets

# Matches a common form after its fixed text.
ShapeMatch = Callable[[bytes, int], re.Match[bytes] | None]
# The rule for a fixed text, and the match of the common form that is tried first.
PhraseRule = tuple[Rule, ShapeMatch | None]

_PHRASES: Final = (
    (NAME_HINTS, named_secrets),
    (FOREIGN_HINTS, foreign_named_secrets),
    (ADDRESS_HINTS, address_secrets),
    (SCHEME_HINTS, scheme_secrets),
    (COMMAND_HINTS, command_secrets),
    (LOGIN_HINTS, login_secrets),
    (DEVICE_HINTS, device_secrets),
    (PHRASE_HINTS, phrase_secrets),
    (VENDOR_HINTS, vendor_secrets),
    (KUBERNETES_HINTS, kubernetes_secrets),
    (TOOL_HINTS, tool_secrets),
    (MODEM_HINTS, modem_secrets),
)

_BEHIND_DIGITS: Final = lazy_pattern(rb"\d\|$")


class RuleTable(NamedTuple):
    """A scan for fixed texts, and the rules by the index of the text: a rule for names and phrases,
    a list of rules for tokens, an empty list for secrets of several lines. `behind_digits` are the
    indexes of texts that need a long number before them.
    """

    scan: TextScan
    rules: list[PhraseRule | list[Rule]]
    behind_digits: frozenset[int]


@cache
def rule_table() -> RuleTable:
    """All rules. Built with the first text that is redacted, since that takes longer than importing
    a module should.
    """
    phrases = phrase_rules()
    exact = exact_rules()
    scan = text_scan(any_case=list(phrases), as_they_are=_with_multiline(exact))
    multiline: list[list[Rule]] = [[] for _ in MULTILINE_HINTS]
    behind_digits = frozenset(
        index for index, text in enumerate([*phrases, *exact]) if _BEHIND_DIGITS.match(text)
    )
    return RuleTable(scan, [*phrases.values(), *exact.values(), *multiline], behind_digits)


def exact_rules() -> dict[bytes, list[Rule]]:
    """The rules for texts that are matched with their letter case: of tokens and a few phrases."""
    rules = token_rules()
    rules |= {hint.encode(): [login_secrets] for hint in EXACT_LOGIN_HINTS}
    rules |= {hint.encode(): [tool_secrets] for hint in EXACT_TOOL_HINTS}
    return rules | {hint.encode(): [named_secrets] for hint in EXACT_NAME_HINTS}


def _with_multiline(texts: Iterable[bytes]) -> list[bytes]:
    return [*texts, *(hint.encode() for hint in MULTILINE_HINTS)]


def phrase_rules() -> dict[bytes, PhraseRule]:
    """The rules for texts that are matched in any letter case."""
    matches = {text: shape.match for text, shape in COMMON_SHAPES.items()}
    return {
        hint.encode(): (rule, matches.get(hint.encode()))
        for hints, rule in _PHRASES
        for hint in hints
    }
