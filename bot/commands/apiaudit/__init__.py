"""`/apiaudit`: who called which API, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.commands.answering import AnsweredCommand, Services
from bot.commands.apiaudit.display import GROUPS, MOST_CALLS, split_display
from bot.commands.apiaudit.filters import filter_examples
from bot.commands.apiaudit.novelty import KINDS, NEW_VALUES, USUAL_DAYS
from bot.commands.apiaudit.question import (
    AuditQuestion,
    audit_fields,
    read_apiaudit,
    read_apiaudit_form,
)
from bot.commands.apiaudit.sentences import EXAMPLES, may_be_person, sentence_of
from bot.questions.comparison_words import is_comparison
from bot.questions.context import Context
from bot.questions.description import AlertValues, Topics
from bot.questions.form import FormField, FormValues, account_field
from bot.questions.question import AccountDirectory
from bot.questions.sentences import Sentence
from providers.provider import Capability
from providers.registry import registry

_FAILURES = frozenset({"failures", "failed", "errors"})

if TYPE_CHECKING:
    from bot.commands.apiaudit.answer import ApiAuditAnswerer


class ApiAuditCommand(AnsweredCommand[AuditQuestion]):
    """The command `/apiaudit`."""

    def read(self, text: str, context: Context) -> AuditQuestion:
        return read_apiaudit(text, context)

    def read_form(self, values: FormValues, context: Context) -> AuditQuestion:
        return read_apiaudit_form(values, context)

    def subject_fields(
        self, question: AuditQuestion | None, accounts: list[str]
    ) -> list[FormField]:
        return account_field(question, accounts, is_optional=True)

    def sentence(self, text: str, directory: AccountDirectory) -> Sentence | None:
        return sentence_of(text, directory, self.kinds)

    def filter_for(self, words: str, directory: AccountDirectory) -> str:
        del directory
        return f"who:{words}" if " " not in words and may_be_person(words) else ""

    def option_fields(self, question: AuditQuestion | None) -> list[FormField]:
        return audit_fields(question)

    def example_words(self, directory: AccountDirectory) -> str:
        return self._of_first_account("24h failures", directory)

    def alert_example(self, directory: AccountDirectory) -> str:
        asked = self._of_first_account("last 1h", directory)
        return f"/{self.name} alert {asked} failures above 20 for 10m"

    def localised(self, words: str, directory: AccountDirectory) -> str:
        """The words as they are: they apply to all accounts."""
        del directory
        return words

    def filter_words(self) -> Sequence[str]:
        return ("failures", "status:error", "status:4xx", "status:5xx", "status:success", "own:no")

    def help_facts(self) -> list[str]:
        """Every filter with an example value, and what can be shown."""
        examples = filter_examples()
        vendors = [provider for provider in registry().providers.values() if provider.filters]
        own = [name for name in examples if not any(name in each.filters for each in vendors)]
        lists = [("Filters", own), *((f"{each.title} only", each.filters) for each in vendors)]
        listed = [
            f"{title}: {', '.join(f'{name}:{examples[name]}' for name in names)}."
            for title, names in lists
        ]
        return [
            *listed,
            f"To list calls: `calls` or `calls {MOST_CALLS}`; to count them by one of "  # noqa: ISC004
            f"{', '.join(GROUPS)}: `by ip`.",
            f"Not seen in the {USUAL_DAYS} days before: `new {'`, `new '.join(KINDS)}`; "  # noqa: ISC004
            "`new ip in 14d` compares with 14 days.",
        ]

    def default_value(self, query: str) -> str:
        if is_comparison(query):
            return "change_percent"
        display, _ = split_display(query.split())
        return KINDS[display.new[0]].value if display.new else self.values.default

    def open(self, services: Services) -> ApiAuditAnswerer:
        from bot.commands.apiaudit.answer import ApiAuditAnswerer

        return ApiAuditAnswerer(services.calls, services.clock, services.seen)

    def _of_first_account(self, words: str, directory: AccountDirectory) -> str:
        accounts = directory.of_kind(self.kinds)
        return f"{accounts[0]} {words}" if accounts else words


COMMAND = ApiAuditCommand(
    name="apiaudit",
    description="Who called which API, and what failed",
    summary=(
        "/apiaudit lists who called which API and what failed, over all vendors in one table."
    ),
    usage_hint=(
        "[account ...] [window [vs window]] [calls [N]] [by COLUMN] [new KIND] [filter ...] "
        "[failures] [csv]"
    ),
    capability=Capability.CALLS,
    default_window="24 hours",
    example_window="24h",
    examples=(
        ("24h", "all audit accounts, the last day"),
        ("last 2h failures", "only what failed"),
        ("today who:ada@example.com", "one person's calls"),
        ("2h calls 50", "the newest calls, one by one"),
        ("24h by code", "counts by status code; also by ip, client, org, host, who, action"),
        (
            "24h new ip",
            "IP addresses not seen in the 30 days before; also new actor, client, action",
        ),
        ("today vs yesterday same hours", "the change, and who and what explain it"),
        ("7d csv", "every call as a table to download"),
    ),
    sentences=EXAMPLES,
    windows=("last 1h", "last 24h", "today", "yesterday", "last 7 days", "last 30 days"),
    values=AlertValues(
        names=(
            "calls",
            "failures",
            "failure_percent",
            "actors",
            "duration_p95_ms",
            "change_percent",
            "change_calls",
            "change_failures",
            "before_calls",
            "before_failures",
            *NEW_VALUES,
        ),
        default="failures",
        usual_threshold="20",
        subjects=("account", "actor"),
        of_comparisons=frozenset(
            {
                *("change_percent", "change_calls", "change_failures"),
                *("before_calls", "before_failures"),
            }
        ),
        whole=frozenset(
            {"calls", "failures", "actors", "before_calls", "before_failures", *NEW_VALUES}
        ),
        synonyms={
            "requests": "calls",
            **dict.fromkeys(
                ("failure rate", "error rate", "failure percentage", "error percentage"),
                "failure_percent",
            ),
            **dict.fromkeys(
                ("p95", "latency", "p95 latency", "latency p95", "p95 duration", "duration p95"),
                "duration_p95_ms",
            ),
        },
        labels={
            "calls": "Calls",
            "failures": "Failed calls",
            "failure_percent": "Failed calls (%)",
            "actors": "Actors",
            "duration_p95_ms": "p95 latency (ms)",
            **{value: f"New {kind.many}" for value, kind in NEW_VALUES.items()},
            "change_percent": "Change in calls vs. the other window (%)",
            "change_calls": "Change in calls vs. the other window",
            "change_failures": "Change in failed calls vs. the other window",
            "before_calls": "Calls in the other window",
            "before_failures": "Failed calls in the other window",
        },
    ),
    topics=Topics(
        frozenset({"api", "apis", "audit", "apiaudit", "call", "calls"}) | _FAILURES, _FAILURES
    ),
)
