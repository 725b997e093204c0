"""A command of another package, in one file: `/pantry`, how many jars an account has."""

from __future__ import annotations

from dataclasses import dataclass

from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, Measurement
from bot.blocks import kit
from bot.commands.answering import AnswerContext, AnsweredCommand, MeasureContext, Services
from bot.questions.context import Context
from bot.questions.description import AlertValues, Topics
from bot.questions.form import FormValues, read_accounts, read_form_window
from bot.questions.question import Question, QuestionParts
from providers.provider import Capability


@dataclass(frozen=True, slots=True)
class PantryAnswerer:
    async def answer(self, question: Question, asking: AnswerContext) -> Answer:
        del asking
        text = f"{len(question.accounts)} jars, {question.window.label}"
        return Answer(text, [kit.section(text)], {"jars": len(question.accounts)})

    async def measure(self, question: Question, context: MeasureContext) -> Measurement:
        del context
        return Measurement({"jars": len(question.accounts)}, question.window)

    async def replay(self, request: ReplayRequest[Question]) -> Replay:
        del request
        return Replay(())


class PantryCommand(AnsweredCommand[Question]):
    def read(self, text: str, context: Context) -> Question:
        named, words = context.accounts_and_window(text.split())
        parts = QuestionParts(" ".join(named), " ".join(words))
        return Question(
            command=self.name,
            text=text,
            window=context.window(parts),
            accounts=tuple(named or context.accounts()),
            parts=parts,
        )

    def read_form(self, values: FormValues, context: Context) -> Question:
        accounts = read_accounts(values, context)
        window, words = read_form_window(values, context)
        parts = QuestionParts(values.get("account", ""), words)
        return Question(
            command=self.name, text=str(parts), window=window, accounts=accounts, parts=parts
        )

    def open(self, services: Services) -> PantryAnswerer:
        del services
        return PantryAnswerer()


COMMAND = PantryCommand(
    name="pantry",
    description="How many jars there are",
    summary="/pantry counts jars.",
    usage_hint="[account] [window]",
    capability=Capability.USAGE,
    default_window="1 day",
    example_window="today",
    examples=(("today", "the jars of today"),),
    windows=("today", "yesterday"),
    values=AlertValues(("jars",), "jars", "3"),
    topics=Topics(frozenset({"jars"})),
    default_access=("*",),
)
