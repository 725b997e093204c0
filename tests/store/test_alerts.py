"""Alerts that several processes evaluate, acknowledge and silence."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.store import (
    EvaluationRecord,
    NewSilence,
    Post,
    RuleChanged,
    RuleEdit,
    Saved,
    Store,
    StoredRule,
)
from bot.store.sql.database import Row, Transaction
from bot.store.sqlite.connection import SqliteDatabase
from tests.store.conftest import NOW
from tests.support.leases import expire_leases

EVERY = timedelta(minutes=15)
HOUR_AGO = NOW - timedelta(hours=1)


def evaluation(n: int, value: float | None = 1.0, **changes: Any) -> EvaluationRecord:
    at = NOW + n * EVERY
    facts: dict[str, Any] = {
        "alert": "spike",
        "definition": "d",
        "due": at,
        "at": at,
        "state": "inactive",
        "since": None,
        "value": value,
        "alert_state": f'{{"incident":"k","n":{n}}}'.encode(),
    }
    return EvaluationRecord(**{**facts, **changes})


def post(key: str) -> Post:
    return Post(key, "#ops", key, [])


async def added_rule(store: Store) -> StoredRule:
    """A rule that Ada has made."""
    made = await store.rules.add_rule(
        name="spike", command="usage", channel="C0OPS", rule="{}", user="U0ADA", now=NOW
    )
    assert made
    return made


async def keys(store: Store) -> list[str]:
    return [row["key"] for row in await store.read("SELECT key FROM outbox ORDER BY id")]


async def values(store: Store, definition: str = "d", name: str = "spike") -> list[float | None]:
    until = NOW + timedelta(days=1)
    found = await store.alerts.samples(name, definition, since=NOW, until=until)
    return [sample.value for sample in found]


async def test_due_time_is_saved_once(store: Store) -> None:
    first = evaluation(0, posts=[post("k")], reason="fired")
    assert await store.alerts.save_evaluations([first, evaluation(1, 2.0)]) == [Saved.WRITTEN] * 2
    again = evaluation(1, 9.0, posts=[post("twice")], reason="changed")
    saved = await store.alerts.save_evaluations([again, evaluation(2, None)])
    assert saved == [Saved.ALREADY_EVALUATED, Saved.WRITTEN]
    assert await values(store) == [1.0, 2.0, None]
    assert await keys(store) == ["k"]
    assert await store.alerts.last_handled_at("spike", "d", now=NOW) == NOW + 2 * EVERY


async def test_failed_batch_writes_nothing(store: Store) -> None:
    broken = evaluation(1, posts=[Post("k", "#ops", "x", [{"type": object()}])], reason="fired")
    with pytest.raises(TypeError):
        await store.alerts.save_evaluations([evaluation(0), broken])
    assert await values(store) == []
    assert await store.alerts.save_evaluations([evaluation(0)]) == [Saved.WRITTEN]


async def test_samples_of_subjects_have_their_series(store: Store) -> None:
    both = evaluation(0, samples=[("kitchen", 3.0, "firing"), ("cellar", 4.0, "inactive")])
    await store.alerts.save_evaluations([both])
    assert await values(store, name="spike/kitchen") == [3.0]
    assert await values(store, name="spike/cellar") == [4.0]


async def test_alert_with_long_name_has_samples(store: Store) -> None:
    name = "\N{GRINNING FACE}" * 400
    await store.alerts.save_evaluations([evaluation(0, alert=name)])
    assert await values(store, name=name) == [1.0]
    assert await store.alerts.definitions(name) == ["d"]


async def test_definitions_with_samples_are_known(store: Store) -> None:
    for definition in ("d", "e"):
        await store.alerts.save_evaluations([evaluation(0, definition=definition)])
    assert await store.alerts.definitions("spike") == ["d", "e"]
    assert await store.alerts.definitions("another") == []


async def test_state_belongs_to_its_definition(store: Store) -> None:
    assert await store.alerts.stored_states([("spike", "d")]) == [None]
    await store.alerts.save_evaluations([evaluation(0)])
    assert await store.alerts.stored_states([("spike", "d")]) == [b'{"incident":"k","n":0}']
    assert await store.alerts.stored_states([("spike", "other")]) == [None]
    assert await store.alerts.last_handled_at("spike", "other", now=NOW) == NOW


async def test_state_changed_elsewhere_is_not_overwritten(store: Store, other: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0)])
    await other.alerts.stored_states([("spike", "d")])
    await store.alerts.save_evaluations([evaluation(1)])
    late = evaluation(2, 9.0, posts=[post("from an old state")])
    assert await other.alerts.save_evaluations([late]) == [Saved.STATE_CHANGED]
    assert await keys(other) == []
    assert await other.alerts.stored_states([("spike", "d")]) == [b'{"incident":"k","n":1}']
    assert await other.alerts.save_evaluations([late]) == [Saved.WRITTEN]


async def test_acknowledgement_survives_evaluation_elsewhere(store: Store, other: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0)])
    await other.alerts.stored_states([("spike", "d")])
    assert await other.alerts.save_user_action(
        evaluation(0, alert_state=b'{"acknowledged_by":"U0ADA"}')
    )
    assert await store.alerts.save_evaluations([evaluation(1)]) == [Saved.STATE_CHANGED]
    assert await store.alerts.stored_states([("spike", "d")]) == [b'{"acknowledged_by":"U0ADA"}']


async def test_user_action_on_old_state_is_refused(store: Store, other: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0)])
    await other.alerts.stored_states([("spike", "d")])
    await store.alerts.save_evaluations([evaluation(1)])
    acknowledged = evaluation(1, alert_state=b"{}", posts=[post("k")])
    assert not await other.alerts.save_user_action(acknowledged)
    assert await keys(other) == []


async def test_evaluation_is_made_by_one_process(store: Store, other: Store) -> None:
    assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]
    assert await other.alerts.claim_evaluations([("spike", NOW)]) == [False]
    assert await other.alerts.claim_evaluations([("spike", NOW + EVERY)]) == [True]
    assert await other.alerts.claim_evaluations([("another", NOW)]) == [True]


async def test_claims_of_others_are_known(store: Store, other: Store) -> None:
    dues = [(name, NOW) for name in ("cellar", "kitchen", "roof")]
    await store.alerts.claim_evaluations(dues[:1])
    await other.alerts.claim_evaluations(dues[1:2])
    assert await store.alerts.claimed_elsewhere(dues) == {"kitchen"}
    assert await other.alerts.claimed_elsewhere(dues) == {"cellar"}
    await expire_leases(store)
    assert await other.alerts.claimed_elsewhere(dues) == set()


async def test_claims_of_one_batch_are_judged_one_by_one(store: Store, other: Store) -> None:
    assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]
    due = [("spike", NOW), ("another", NOW)]
    assert await other.alerts.claim_evaluations(due) == [False, True]


async def test_own_evaluation_may_be_made_again(store: Store) -> None:
    assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]
    assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]


@pytest.mark.parametrize("is_saved", [False, True], ids=["cut off", "saved"])
async def test_evaluation_of_dead_process_is_made_again(
    store: Store, other: Store, is_saved: bool
) -> None:
    await store.alerts.claim_evaluations([("spike", NOW)])
    if is_saved:
        await store.alerts.save_evaluations([evaluation(0)])
    assert await other.alerts.abandoned_evaluations(since=HOUR_AGO) == []
    await expire_leases(store)
    left: list[tuple[str, datetime]] = [] if is_saved else [("spike", NOW)]
    assert await other.alerts.abandoned_evaluations(since=HOUR_AGO) == left
    assert await other.alerts.claim_evaluations([("spike", NOW)]) == [True]


async def test_open_incident_knows_its_channel(store: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0, posts=[post("k")], reason="fired")])
    [incident] = await store.alerts.open_incidents()
    assert (incident.alert, incident.channel) == ("spike", "#ops")
    assert await store.alerts.states() == {"spike": "inactive"}


async def test_ended_rule_leaves_no_state(store: Store) -> None:
    made = await added_rule(store)
    taken = await store.rules.add_rule(
        name="SPIKE", command="usage", channel="C0OPS", rule="{}", user="U0ADA", now=NOW
    )
    assert taken is None
    await store.alerts.save_evaluations([evaluation(0)])
    await store.rules.edit_rule(RuleEdit(made, "{1}", "U0GRACE", NOW))
    [changed] = await store.rules.rules()
    assert (changed.rule, changed.user) == ("{1}", "U0GRACE")
    await store.rules.edit_rule(RuleEdit(changed, None, "U0ADA", NOW))
    assert await store.rules.rules() == []
    assert await store.rules.names_ever() == {"spike"}
    assert await store.alerts.stored_states([("spike", "d")]) == [None]


async def test_later_silence_ends_the_earlier(store: Store) -> None:
    for hours in (1, 4):
        await store.silences.silence(
            NewSilence("spike", NOW, NOW + timedelta(hours=hours), "", "U0ADA")
        )
    [silence] = await store.silences.silences(NOW)
    assert silence.end == NOW + timedelta(hours=4)
    assert await store.silences.unsilence(silence, user="U0GRACE", now=NOW)
    assert not await store.silences.unsilence(silence, [post("late")], user="U0GRACE", now=NOW)
    assert await store.read("SELECT key FROM outbox") == []
    assert len(await store.read("SELECT number FROM silences WHERE ended_by IS NOT NULL")) == 2


async def test_earlier_silence_is_not_ended_in_place_of_a_later_one(store: Store) -> None:
    new = NewSilence("spike", NOW, NOW + timedelta(hours=1), "", "U0ADA")
    earlier = await store.silences.silence(new)
    later = await store.silences.silence(new)
    assert not await store.silences.unsilence(earlier, user="U0GRACE", now=NOW)
    assert await store.silences.silences(NOW) == [later]


@pytest.mark.parametrize("change", ["deleted", "passed on", "made anew"])
async def test_silence_of_a_changed_rule_is_not_written(store: Store, change: str) -> None:
    """Access was checked by the rule as it was."""
    made = await added_rule(store)
    new = NewSilence("spike", NOW, NOW + timedelta(hours=1), "", "U0ADA", made)
    silence = await store.silences.silence(new, [post("silenced")])
    await store.alerts.save_evaluations([evaluation(0)])
    if change == "passed on":
        await store.rules.edit_rule(RuleEdit(made, "{}", "U0GRACE", NOW))
    else:
        await store.rules.edit_rule(RuleEdit(made, None, "U0GRACE", NOW))
    if change == "made anew":
        await added_rule(store)
    with pytest.raises(RuleChanged):
        await store.silences.silence(new, [post("again")])
    with pytest.raises(RuleChanged):
        await store.silences.unsilence(
            silence, [post("unsilenced")], user="U0ADA", now=NOW, rule=made
        )
    if change == "passed on":
        with pytest.raises(RuleChanged):
            await store.alerts.save_user_action(evaluation(0), new)
    # It ends with its rule.
    assert await store.silences.silences(NOW) == ([silence] if change == "passed on" else [])
    assert [row["key"] for row in await store.read("SELECT key FROM outbox")] == ["silenced"]


@pytest.mark.parametrize("change", ["changed", "passed on", "deleted"])
@pytest.mark.parametrize("rule", ["{2}", None])
async def test_rule_is_edited_only_as_it_was_seen(
    store: Store, change: str, rule: str | None
) -> None:
    made = await added_rule(store)
    first = {
        "changed": ("{1}", "U0ADA"),
        "passed on": ("{}", "U0GRACE"),
        "deleted": (None, "U0ADA"),
    }
    await store.rules.edit_rule(RuleEdit(made, *first[change], NOW))
    await store.alerts.save_evaluations([evaluation(0)])
    before = (await store.rules.rules(), await store.alerts.states())
    late = RuleEdit(made, rule, "U0LINUS", NOW)
    with pytest.raises(RuleChanged):
        await store.rules.edit_rule(late, [post("late")])
    with pytest.raises(RuleChanged):
        await store.alerts.edit_rule(late, [post("late")])
    with pytest.raises(RuleChanged):
        await store.alerts.save_user_action(evaluation(0, posts=[post("late")]), late)
    assert (await store.rules.rules(), await store.alerts.states()) == before
    assert await keys(store) == []


async def test_edit_waits_for_the_state_of_another_process(store: Store, other: Store) -> None:
    """The other process may just have posted an incident, which the edit has to close."""
    made = await added_rule(store)
    deletion = RuleEdit(made, None, "U0ADA", NOW)
    await store.alerts.stored_states([("spike", "d")])
    await other.alerts.save_evaluations([evaluation(0, posts=[post("k")], reason="fired")])
    assert not await store.alerts.edit_rule(deletion, [post("deleted")])
    assert await store.rules.rules() == [made]
    await store.alerts.stored_states([("spike", "d")])
    closing = evaluation(0, posts=[post("closed")], reason="rule_changed")
    assert await store.alerts.save_user_action(closing, deletion)
    assert (await store.rules.rules(), await store.alerts.states()) == ([], {})
    assert await keys(store) == ["k", "closed"]


async def test_mixed_batch_is_saved_one_by_one(store: Store, other: Store) -> None:
    first = [evaluation(0, alert=name) for name in ("late", "changed", "fine")]
    await store.alerts.save_evaluations(first)
    await other.alerts.stored_states([("changed", "d")])
    await other.alerts.save_evaluations([evaluation(1, alert="changed")])
    batch = [
        evaluation(0, 9.0, alert="late", posts=[post("late")], reason="fired"),
        evaluation(1, 9.0, alert="changed", posts=[post("changed")], reason="fired"),
        evaluation(1, 9.0, alert="fine", posts=[post("fine")], reason="fired"),
        evaluation(1, 9.0, alert="new", posts=[post("new")], reason="fired"),
    ]
    assert await store.alerts.save_evaluations(batch) == [
        Saved.ALREADY_EVALUATED,
        Saved.STATE_CHANGED,
        Saved.WRITTEN,
        Saved.WRITTEN,
    ]
    assert await values(store, name="late") == [1.0]
    assert await values(store, name="changed") == [1.0, 1.0]
    assert await values(store, name="fine") == [1.0, 9.0]
    assert await values(store, name="new") == [9.0]
    assert await keys(store) == ["fine", "new"]


async def test_deleted_alert_is_not_written_again(store: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0), evaluation(0, alert="other")])
    await store.database.execute("DELETE FROM alerts WHERE name = 'spike'")
    batch = [evaluation(1), evaluation(1, alert="other")]
    assert await store.alerts.save_evaluations(batch) == [Saved.DELETED, Saved.WRITTEN]
    assert await store.alerts.states() == {"other": "inactive"}


async def test_alert_deleted_elsewhere_is_not_evaluated(store: Store, other: Store) -> None:
    """The other process does not know about the deletion yet, so the alert would fire once more."""
    made = await added_rule(store)
    assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]
    await store.alerts.save_evaluations([evaluation(0)])
    soon = [("spike", NOW + timedelta(seconds=3))]
    for process in (store, other):
        await process.alerts.stored_states([("spike", "d")])
    await store.rules.edit_rule(RuleEdit(made, None, "U0ADA", NOW))
    assert await other.alerts.claim_evaluations(soon) == [False]
    assert await other.alerts.abandoned_evaluations(since=NOW) == []
    assert await other.alerts.save_evaluations([evaluation(1)]) == [Saved.DELETED], "in progress"
    assert await store.alerts.states() == {}
    await added_rule(store)
    assert await store.alerts.claim_evaluations(soon) == [True]


async def test_name_of_deleted_alert_is_free(store: Store) -> None:
    """Also for an alert of the configuration, which starts without claims of the earlier alert."""
    made = await added_rule(store)
    await store.rules.edit_rule(RuleEdit(made, None, "U0ADA", NOW))
    assert await store.alerts.claim_evaluations([("spike", NOW + EVERY)]) == [True]
    await store.alerts.save_evaluations([evaluation(1)])
    await expire_leases(store)
    assert await store.alerts.abandoned_evaluations(since=NOW - EVERY) == []


async def test_claims_of_deleted_alerts_are_pruned(store: Store) -> None:
    made = await added_rule(store)
    await store.alerts.claim_evaluations([("other", NOW)])
    await store.rules.edit_rule(RuleEdit(made, None, "U0ADA", NOW))
    for before, left in ((NOW, ["other", "spike"]), (NOW + EVERY, ["other"])):
        await store.alerts.prune(samples_before=before, notices_before=before)
        rows = await store.read("SELECT alert FROM evaluation_claims ORDER BY alert")
        assert [row["alert"] for row in rows] == left


async def test_large_batch_with_subjects_is_saved_whole(store: Store) -> None:
    subjects = [(f"actor-{n}", float(n), "inactive") for n in range(20)]
    batch = [evaluation(0, float(n), alert=f"rule-{n}", samples=subjects) for n in range(1200)]
    assert await store.alerts.save_evaluations(batch) == [Saved.WRITTEN] * 1200
    names = [(f"rule-{n}", "d") for n in range(1200)]
    assert await store.alerts.stored_states(names) == [batch[0].alert_state] * 1200
    assert await values(store, name="rule-1199") == [1199.0]
    assert await values(store, name="rule-1199/actor-19") == [19.0]
    due = [(name, NOW + EVERY) for name, _ in names]
    assert await store.alerts.claim_evaluations(due) == [True] * 1200


async def test_batch_needs_few_statements(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = list[str]()
    write = store.database.write

    async def counted(work: Callable[[Transaction], Any], **how: bool) -> Any:
        def count(tx: Transaction) -> Any:
            return work(CountingTransaction(tx, calls))

        return await write(count, **how)

    batch = [evaluation(0, alert=f"rule-{n}") for n in range(200)]
    await store.alerts.save_evaluations(batch)
    monkeypatch.setattr(store.database, "write", counted)
    await store.alerts.claim_evaluations([(each.alert, each.due) for each in batch])
    await store.alerts.save_evaluations([evaluation(1, alert=each.alert) for each in batch])
    assert len(calls) < 15


async def test_series_of_undone_batch_are_numbered_again(store: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0)])
    batch = [evaluation(0), evaluation(0, 7.0, alert="new")]
    saved = await store.alerts.save_evaluations(batch)
    assert saved == [Saved.ALREADY_EVALUATED, Saved.WRITTEN]
    assert await values(store, name="new") == [7.0]


async def test_nul_in_state_is_stored(store: Store) -> None:
    with_nul = evaluation(0, alert_state=b'"\0"')
    assert await store.alerts.save_evaluations([with_nul, evaluation(0, alert="other")]) == [
        Saved.WRITTEN,
        Saved.WRITTEN,
    ]
    [state] = await store.alerts.stored_states([("spike", "d")])
    assert state in (b'"\0"', '"\ufffd"'.encode())


async def test_processes_evaluate_beside_each_other(store: Store, other: Store) -> None:
    """A process that is slow to save does not delay the others' evaluations."""
    if isinstance(store.database, SqliteDatabase):
        pytest.skip("SQLite has one writer at a time")
    is_saving = threading.Event()
    may_end = threading.Event()

    def save_slowly(tx: Transaction) -> None:
        is_saving.set()
        may_end.wait(30)

    saving = asyncio.create_task(other.database.write(save_slowly, concurrent=True))
    try:
        await asyncio.to_thread(is_saving.wait, 30)
        async with asyncio.timeout(20):
            assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]
            assert await store.alerts.save_evaluations([evaluation(0)]) == [Saved.WRITTEN]
        posting = asyncio.create_task(
            store.alerts.save_evaluations([evaluation(1, posts=[post("k")], reason="fired")])
        )
        done, _ = await asyncio.wait([posting], timeout=0.1)
        assert not done, "what posts waits for its turn"
    finally:
        may_end.set()
        await saving
    assert await posting == [Saved.WRITTEN]


async def test_same_evaluations_are_claimed_once(store: Store, other: Store) -> None:
    """Processes that begin at different places do not deadlock."""
    due = [(f"rule-{n}", NOW) for n in range(400)]
    for tick in range(5):
        now = [(alert, at + tick * EVERY) for alert, at in due]
        claimed = await asyncio.gather(
            store.alerts.claim_evaluations(now),
            other.alerts.claim_evaluations(now[200:] + now[:200]),
        )
        by_alert = dict(zip(now[200:] + now[:200], claimed[1], strict=True))
        assert all(mine != by_alert[each] for each, mine in zip(now, claimed[0], strict=True))


class CountingTransaction:
    """A transaction that records each statement it is given."""

    def __init__(self, tx: Transaction, calls: list[str]) -> None:
        self._tx = tx
        self._calls = calls
        self.dialect = tx.dialect

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        self._calls.append(sql)
        return self._tx.execute(sql, params)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        self._calls.append(sql)
        return self._tx.query(sql, params)

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        self._calls.append(sql)
        return self._tx.execute_many(sql, rows)


async def test_overtaken_evaluation_of_dead_process_is_made(store: Store, other: Store) -> None:
    """The next instant may be due before the death of a process is detected."""
    later = NOW + EVERY
    await store.alerts.claim_evaluations([("spike", NOW)])
    assert await other.alerts.claim_evaluations([("spike", later)]) == [True]
    await other.alerts.save_evaluations([evaluation(1)])
    assert await other.alerts.abandoned_evaluations(since=HOUR_AGO) == []
    assert await other.alerts.claim_evaluations([("spike", NOW)]) == [False], "it is still alive"
    await expire_leases(store)
    assert await other.alerts.abandoned_evaluations(since=HOUR_AGO) == [("spike", NOW)]
    assert await other.alerts.claim_evaluations([("spike", NOW)]) == [True]
    await other.alerts.save_evaluations([evaluation(0)])
    assert await other.alerts.abandoned_evaluations(since=HOUR_AGO) == []
    assert await values(other) == [1.0, 1.0]


async def test_overtaken_evaluation_is_finished_by_its_process(store: Store, other: Store) -> None:
    await store.alerts.claim_evaluations([("spike", NOW)])
    await other.alerts.claim_evaluations([("spike", NOW + EVERY)])
    await other.alerts.save_evaluations([evaluation(1)])
    assert await store.alerts.claim_evaluations([("spike", NOW)]) == [True]
    assert await store.alerts.save_evaluations([evaluation(0)]) == [Saved.STATE_CHANGED]
    await store.alerts.stored_states([("spike", "d")])
    assert await store.alerts.save_evaluations([evaluation(0)]) == [Saved.WRITTEN]
    await expire_leases(store)
    assert await other.alerts.abandoned_evaluations(since=HOUR_AGO) == []
    await other.alerts.claim_evaluations([("spike", NOW + 2 * EVERY)])
    assert await other.alerts.claim_evaluations([("spike", NOW)]) == [False]
