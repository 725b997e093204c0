"""The words of `/usage [account] [window] [by day|week|month] [per log] [csv]`."""

from __future__ import annotations

from bot.errors import BadQuestion
from bot.questions.context import Context
from bot.questions.phrases import without, without_any
from bot.questions.question import Question, QuestionParts


def read_usage(text: str, context: Context) -> Question:
    words = text.split()
    words, csv = without(words, "csv")
    words, per_log = without_any(words, "per log", "by log")
    by = None
    for unit in ("day", "week", "month"):
        words, found = without(words, "by", unit)
        if found and by:
            raise BadQuestion(
                "A table goes by day, week or month, one of them.", context.instead(f"by {by}", "")
            )
        by = unit if found else by
    named, words = context.accounts_and_window(words)
    available = context.directory.of_kind(context.command.kinds)
    _one_of(named, available, context)
    rest = [f"by {by}" if by else "", "per log" if per_log else "", "csv" if csv else ""]
    parts = QuestionParts(" ".join(named), " ".join(words), " ".join(filter(None, rest)))
    window, accounts = context.window(parts), tuple(named or available)
    return Question(
        "usage",
        text,
        window,
        accounts=accounts,
        by=by or "day",  # type: ignore[arg-type]
        per_log=per_log,
        csv=csv,
        parts=parts,
    )


def _one_of(named: list[str], available: list[str], context: Context) -> None:
    if not available:
        raise BadQuestion(
            "No Rapid7 account is configured.", "Add one under [providers] in bot.toml."
        )
    if len(named) > 1:
        raise BadQuestion("One account at a time, please.", context.instead(named[-1], ""))
    if not named and len(available) > 1:
        raise BadQuestion(
            f"Which account? There are {', '.join(available)}.",
            context.working(f"{available[0]} {context.text}"),
        )
