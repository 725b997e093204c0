"""What an alert on failures says about the calls behind its value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.alerts.evaluate import evaluate
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE, AlertState
from bot.answer import Evidence
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alerts import incident_message
from bot.commands.apiaudit.evidence import failure_evidence
from bot.commands.apiaudit.question import AuditQuestion
from bot.questions.reading import read_question
from providers.models import ApiCall, Outcome
from tests.bot.test_question import HOUSE
from tests.support.work import growth

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def call(minutes: int, actor: str, status: str = "503", **changed: str) -> ApiCall:
    at = NOON - timedelta(minutes=minutes)
    outcome = Outcome.SUCCESS if status == "200" else Outcome.FAILURE
    action = changed.get("action", "GET")
    target = changed.get("target", "/papi/v1/groups")
    return ApiCall(at, "", "edge", actor, action, target, status, outcome, "", "", 45.0)


def question(words: str) -> AuditQuestion:
    found = read_question("apiaudit", words, HOUSE, now=NOON, zone=UTC)
    assert isinstance(found, AuditQuestion)
    return found


CALLS = [call(9, "ada"), call(8, "ada"), call(3, "bob", "500"), call(1, "ada", "200")]


def evidence(words: str, each: str, *firing: str, calls: list[ApiCall] = CALLS) -> Evidence:
    return failure_evidence(calls, question(words), each, firing)


def facts(found: Evidence) -> dict[str, str]:
    return {fact.name: fact.value for fact in found.facts}


def test_latest_failure_is_named() -> None:
    found = evidence("edge last 1h", "", WHOLE)
    assert facts(found) == {
        "Latest failure": "bob · GET /papi/v1/groups · 500 · 45 ms",
        "Most failures": "ada 2, bob 1",
    }
    assert found.facts[0].at == NOON - timedelta(minutes=3)
    assert found.query == "/apiaudit edge last 1h failures"


def test_subject_narrows_facts_and_question() -> None:
    found = evidence("edge last 1h failures", "actor", "ada")
    assert facts(found)["Latest failure"].startswith("ada · ")
    assert found.facts[0].at == NOON - timedelta(minutes=8)
    assert "bob" not in str(found)
    assert found.query == "/apiaudit edge last 1h failures who:ada"


def test_contributors_add_up_to_all_failures() -> None:
    calls = [call(n, f"actor-{n}") for n in range(5)] + [call(9, "ada")] * 7 + [call(8, "bob")] * 3
    assert facts(evidence("edge 1h", "", WHOLE, calls=calls))["Most failures"] == (
        "ada 7, bob 3 and 5 others: 5"
    )
    three = [call(1, "ada"), call(2, "ada"), call(3, "bob"), call(4, "")]
    assert facts(evidence("edge 1h", "", WHOLE, calls=three))["Most failures"] == (
        "ada 2, bob 1 and 1 other: 1"
    )


def test_actor_without_a_name_has_evidence() -> None:
    found = evidence("edge 1h", "actor", "unnamed", calls=[call(3, "bob"), call(4, "")])
    assert facts(found)["Latest failure"].startswith("unnamed · GET")


def test_long_address_is_shortened_in_its_middle() -> None:
    long = call(1, "ada", target=f"/papi/v1/{'properties/' * 20}last")
    shown = facts(evidence("edge 1h", "", WHOLE, calls=[long]))["Latest failure"]
    assert "GET /papi/v1/properties/" in shown
    assert "/last · 503" in shown
    assert len(shown) < 140


def test_time_that_cannot_be_read_is_shown_as_it_came() -> None:
    odd = replace(call(1, "ada"), at=None, at_text="yesterday-ish")
    found = evidence("edge 1h", "", WHOLE, calls=[odd])
    assert facts(found)["Latest failure"].startswith("yesterday-ish · ada")


def test_work_is_linear_in_actors() -> None:
    """Each of many actors fires, as in an outage."""

    def work(size: int) -> None:
        names = [f"actor-{n}" for n in range(size)]
        calls = [replace(CALLS[0], actor=name, action=name) for name in names]
        failure_evidence(calls, question("edge 1h"), "actor", names)

    assert all(factor < 2.6 for factor in growth(work, (100, 200, 400)))


def test_narrowed_question_can_be_asked() -> None:
    for each, firing in (
        ("", WHOLE),
        ("actor", "ada"),
        ("actor", "ada & bob"),
        ("account", "edge"),
    ):
        query = evidence("edge last 1h status:5xx", each, firing).query
        assert question(query.partition(" ")[2]).filters.failures


def test_hostile_call_is_bounded_and_inert() -> None:
    hostile = call(1, "<!channel>\n" * 50, "x" * 9000, action="a" * 9000, target="<@U0ADA>" * 999)
    rule = Rule("spike", "/apiaudit edge last 1h", "failures", "C0OPS", above=0)
    after, reason = evaluate(rule, AlertState(), {WHOLE: 1.0}, now=NOON)
    assert reason is not None
    found = evidence("edge last 1h", "", WHOLE, calls=[hostile])
    assert len(str(found.facts)) < 500
    context = NotificationContext(rule, AlertState(), after, reason, NOON, UTC, evidence=found)
    _, blocks = incident_message(context)
    assert "<!channel>" not in str(blocks) and "<@U0ADA>" not in str(blocks)


def test_message_shows_evidence_until_the_end() -> None:
    rule = Rule("spike", "/apiaudit edge last 1h", "failures", "C0OPS", above=2)
    before = AlertState()
    found = evidence("edge last 1h", "", WHOLE)
    fired, reason = evaluate(rule, before, {WHOLE: 3.0}, now=NOON)
    assert reason is not None
    context = NotificationContext(rule, before, fired, reason, NOON, UTC, evidence=found)
    text, blocks = incident_message(context)
    assert "Latest failure: 25 Nov 11:57 UTC · bob" in text
    assert "Most failures: ada 2, bob 1." in text
    assert "/apiaudit edge last 1h failures" in str(blocks[-1])
    later = NOON + timedelta(minutes=15)
    over, reason = evaluate(rule, fired, {WHOLE: 0.0}, now=later)
    assert reason is not None
    context = NotificationContext(rule, fired, over, reason, later, UTC, evidence=found)
    assert "Latest failure" not in incident_message(context)[0]
