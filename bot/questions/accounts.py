"""The accounts among the words of a question: one, several, or all of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.context import Context
from bot.questions.phrases import without_any
from bot.questions.question import ALL

_ALL_ACCOUNTS = ("all accounts", "all the accounts", "every account", "each account")
_BETWEEN = frozenset({"vs", "vs.", "versus", "against"})
# Between the accounts of `compare eu and us`.
_BETWEEN_COMPARED = frozenset({"and", "with", "to"})


class NamedAccounts(Struct, frozen=True):
    """The accounts that the words name, if any; how they are typed; and the other words."""

    names: tuple[str, ...]
    typed: str
    words: list[str]


def split_accounts(words: Sequence[str], context: Context) -> NamedAccounts:
    """The accounts among the words. `eu vs us` asks both. Raises BadQuestion where a word is the
    beginning of several names, and for one account beside `all`.
    """
    others, all_of_them = _without_all(list(words), context)
    named, window = context.accounts_and_window(_without_between(others, context))
    if all_of_them and named and len(named) < len(context.accounts()):
        name = sanitise(" ".join(named), 60)
        raise BadQuestion(
            f"Is it {name} alone, or all accounts?",
            context.working(" ".join([*named, *window])),
        )
    if all_of_them:
        return NamedAccounts(tuple(context.accounts()), ALL, window)
    return NamedAccounts(tuple(named), " ".join(named), window)


def _without_all(words: list[str], context: Context) -> tuple[list[str], bool]:
    accounts = {name.lower() for name in context.directory.of_kind(context.command.kinds)}
    if ALL in accounts:
        return words, False
    others, found = without_any(words, *_ALL_ACCOUNTS)
    for at in (0, -1):
        if others and others[at].lower().strip(",") == ALL:
            del others[at]
            found = True
    return others, found


def _without_between(words: list[str], context: Context) -> list[str]:
    """The words without a `vs` between two accounts, where it separates no windows."""
    accounts = {name.lower() for name in context.directory.of_kind(context.command.kinds)}
    plain = [word.lower().strip(",") for word in words]
    is_compared = plain[:1] == ["compare"] and accounts.issuperset(plain[1:2])
    between = _BETWEEN | _BETWEEN_COMPARED if is_compared else _BETWEEN
    left_out = {
        at
        for at in range(1, len(plain) - 1)
        if plain[at] in between and plain[at - 1] in accounts and plain[at + 1] in accounts
    }
    # The `compare` before such a pair.
    if is_compared and 2 in left_out:
        left_out.add(0)
    return [word for at, word in enumerate(words) if at not in left_out]
