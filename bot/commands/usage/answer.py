"""`/usage`: how much log data accounts send."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, Measurement, Progress
from bot.commands.answering import AnswerContext, Clock, MeasureContext
from bot.commands.usage.blocks import is_shortened, usage_blocks, usage_text
from bot.commands.usage.compare import answer_comparison, fetch_comparison
from bot.commands.usage.comparison import compared_values
from bot.commands.usage.fetch import UsageFetcher
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.replay import COMPARED_VALUES, replay_usage
from bot.commands.usage.sheet import usage_sheet
from bot.commands.usage.total import total_of
from providers.errors import ProviderError, combined
from providers.sources import UsageSource


class UsageAnswerer(Struct, frozen=True):
    sources: Mapping[str, UsageSource]
    quotas: Mapping[str, int | None]
    clock: Clock

    async def answer(self, question: UsageQuestion, asking: AnswerContext) -> Answer:
        """The usage answer. All accounts are requested at once; one that fails is named, and the
        total is without it.
        """
        if question.comparison:
            return await answer_comparison(question, self._fetcher, asking)
        fetched = await self._fetcher.facts(question, asking.progress)
        missing = tuple(_missing(error) for error in fetched.failed)
        total = total_of(fetched.facts, [error.account for error in fetched.failed])
        needs_file = question.csv or is_shortened(total, question.by)
        return Answer(
            text=usage_text(
                total,
                question.window,
                by=question.by,
                missing=missing,
                warnings=fetched.warnings,
            ),
            blocks=usage_blocks(
                total,
                question.window,
                by=question.by,
                buttons=_next_questions(question),
                missing=missing,
                warnings=fetched.warnings,
            ),
            values=total.values(),
            files=[usage_sheet(total, question, asking.folder())] if needs_file else [],
            warnings=(*missing, *fetched.warnings),
            window=question.window,
        )

    async def measure(self, question: UsageQuestion, context: MeasureContext) -> Measurement:
        """The values of the answer; what the wanted one does not need is not fetched. Raises if an
        account fails, without which a total would look like a fall. Where each account is measured
        by itself, the others are.
        """
        # A value that only one window has is measured as without the comparison.
        if question.comparison and context.value in COMPARED_VALUES:
            with_logs = context.each == "log"
            compared = await fetch_comparison(
                question, self._fetcher, Progress(), with_logs=with_logs
            )
            if context.each != "account":
                _refuse_failed(compared.failed)
            values = compared_values(compared.accounts, compared.report, context.each)
            return Measurement(values, question.window)
        fetched = await self._fetcher.facts(
            question, Progress(), value=context.value, each=context.each
        )
        if context.each != "account":
            _refuse_failed(fetched.failed)
        total = total_of(fetched.facts, [error.account for error in fetched.failed])
        return Measurement(total.values(context.each), question.window)

    async def replay(self, span: ReplayRequest[UsageQuestion]) -> Replay:
        """The usage answer of every day as it was when the day was over."""
        return await replay_usage(span, self._fetcher)

    @property
    def _fetcher(self) -> UsageFetcher:
        return UsageFetcher(self.sources, self.quotas, self.clock)


def _missing(error: ProviderError) -> str:
    return f"{error.account} is missing from this answer: {error.message} The total is without it."


def _refuse_failed(failed: list[ProviderError]) -> None:
    if failed:
        raise combined(failed)


def _next_questions(question: UsageQuestion) -> list[tuple[str, str]]:
    """Follow-up questions for the reader."""
    ways = [("7 days", "last 7 days"), ("30 days", "last 30 days"), ("This month", "this month")]
    buttons = [(label, question.over(window)) for label, window in ways]
    buttons.append(("vs. previous", question.over(f"{question.parts.window} vs previous".strip())))
    if not question.per_log:
        buttons.append(("By log", question.also("per log")))
    if not question.csv:
        buttons.append(("CSV", question.also("csv")))
    return buttons
