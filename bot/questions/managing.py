"""The first words of commands that manage alerts, subscriptions and saved questions."""

from __future__ import annotations

from bot.questions.question import AccountDirectory

SILENCE_WORDS = ("silence", "snooze", "mute", "pause")
UNSILENCE_WORDS = ("unsilence", "unsnooze", "unmute", "unpause", "resume")
ACKNOWLEDGE_WORDS = ("acknowledge", "ack")
UNACKNOWLEDGE_WORDS = ("unacknowledge", "unack")
EDIT = "edit"
ALERT_WORDS = (
    *("alert", "alerts", "unalert", EDIT),
    *(*ACKNOWLEDGE_WORDS, *UNACKNOWLEDGE_WORDS, *SILENCE_WORDS, *UNSILENCE_WORDS),
)
SUBSCRIPTION_WORDS = ("subscribe", "subscriptions", "unsubscribe")
SAVED_WORDS = ("save", "saved", "unsave")
# Words of alerts that an account, a log or a saved question may be called: it keeps its name.
YIELDING_WORDS = frozenset(ALERT_WORDS) - {"alert", "alerts", "unalert", "silence", "unsilence"}
MANAGING_WORDS = frozenset({*ALERT_WORDS, *SUBSCRIPTION_WORDS, *SAVED_WORDS})


def names_question(word: str, directory: AccountDirectory) -> bool:
    """Whether the first word of a question is one of alerts that an account or a log is called by,
    too.
    """
    lowered = word.lower()
    if lowered not in YIELDING_WORDS:
        return False
    names = [*directory.accounts, *directory.logs_of(directory.logs)]
    return lowered in map(str.lower, names)
