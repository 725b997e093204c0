"""Samples of baselines, and how long a baseline takes."""

from __future__ import annotations

import math
import random
import string
from datetime import UTC, datetime, timedelta

import pytest

from bot.alerts.baseline import Samples, baseline_at, needed_spans, whole_days_span
from bot.store import BaselineSamples, Saved, Store
from tests.store.conftest import NOW
from tests.store.test_alerts import evaluation

# No compression makes it short.
LONG = "".join(random.Random(1).choices(string.ascii_letters, k=4000))
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
Values = list[tuple[datetime, float]]


def hours(count: int, value: float = 1.0) -> Values:
    return [(NOW - n * HOUR, value + n % 3) for n in range(1, count + 1)]


async def read(store: Store, *subjects: str, definition: str = "d") -> dict[str, Values]:
    spans = [(NOW - 400 * DAY, NOW + DAY)]
    return await store.baselines.samples("spike", definition, subjects or [""], spans)


async def test_samples_are_read_by_subject_and_span(store: Store) -> None:
    await store.baselines.add("spike", "d", {"": hours(5), "kitchen": hours(3, 10.0)})
    await store.baselines.add("spike", "another", {"": hours(9)})
    await store.baselines.add("spike-2", "d", {"": hours(9)})
    spans = [(NOW - 5 * HOUR, NOW - 4 * HOUR), (NOW - 2 * HOUR, NOW)]
    found = await store.baselines.samples("spike", "d", ["", "kitchen", "cellar"], spans)
    assert found == {
        "": [(NOW - 5 * HOUR, 3.0), (NOW - 2 * HOUR, 3.0), (NOW - HOUR, 2.0)],
        "kitchen": [(NOW - 2 * HOUR, 12.0), (NOW - HOUR, 11.0)],
        "cellar": [],
    }


@pytest.mark.parametrize("subject", ["a\0b", "\0", LONG, "\N{GRINNING FACE}" * 3000])
async def test_any_text_names_a_subject(store: Store, subject: str) -> None:
    samples = BaselineSamples("spike", "d", NOW, {subject: 1.0, f"{subject}!": 2.0})
    record = evaluation(0, samples=[(subject, 1.0, "firing")], baseline_samples=samples)
    assert await store.alerts.save_evaluations([record]) == [Saved.WRITTEN]
    found = await read(store, subject, f"{subject}!")
    assert found == {subject: [(NOW, 1.0)], f"{subject}!": [(NOW, 2.0)]}


async def test_long_definition_has_samples(store: Store, other: Store) -> None:
    samples = BaselineSamples("spike", LONG, NOW, {"": 1.0})
    record = evaluation(0, definition=LONG, baseline_samples=samples)
    assert await store.alerts.save_evaluations([record]) == [Saved.WRITTEN]
    assert await read(store, definition=LONG) == {"": [(NOW, 1.0)]}
    until = NOW + DAY
    found = await other.alerts.samples("spike", LONG, since=NOW, until=until)
    assert [sample.value for sample in found] == [1.0]
    assert await other.alerts.samples("spike", f"{LONG}!", since=NOW, until=until) == []


async def test_earlier_sample_of_same_time_stays(store: Store) -> None:
    await store.baselines.add("spike", "d", {"": [(NOW, 1.0)]})
    await store.baselines.add("spike", "d", {"": [(NOW, 2.0), (NOW + HOUR, 3.0)]})
    assert await read(store) == {"": [(NOW, 1.0), (NOW + HOUR, 3.0)]}


async def test_samples_are_written_with_evaluation(store: Store, other: Store) -> None:
    def judged(n: int) -> BaselineSamples:
        return BaselineSamples("spike", "b", NOW + n * HOUR, {"": float(n), "kitchen": 2.0 * n})

    first = evaluation(0, baseline_samples=judged(1))
    assert await store.alerts.save_evaluations([first]) == [Saved.WRITTEN]
    again = [evaluation(0, baseline_samples=judged(2)), evaluation(0, alert="fine")]
    saved = await store.alerts.save_evaluations(again)
    assert saved == [Saved.ALREADY_EVALUATED, Saved.WRITTEN]
    assert await other.alerts.save_evaluations([evaluation(3, baseline_samples=judged(3))]) == [
        Saved.STATE_CHANGED
    ]
    found = await read(store, "", "kitchen", definition="b")
    assert found == {"": [(NOW + HOUR, 1.0)], "kitchen": [(NOW + HOUR, 2.0)]}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_value_that_is_no_number_is_left_out(store: Store, value: float) -> None:
    samples = BaselineSamples("spike", "b", NOW, {"": value, "kitchen": 2.0})
    saved = await store.alerts.save_evaluations([evaluation(0, baseline_samples=samples)])
    assert saved == [Saved.WRITTEN]
    found = await read(store, "", "kitchen", definition="b")
    assert found == {"": [], "kitchen": [(NOW, 2.0)]}


async def test_many_subjects_are_read_in_parts(store: Store) -> None:
    subjects = {f"actor-{n}": [(NOW, float(n))] for n in range(1500)}
    await store.baselines.add("spike", "d", subjects)
    assert await read(store, *subjects) == subjects


async def test_old_samples_are_deleted(store: Store) -> None:
    await store.baselines.add("spike", "d", {"": [(NOW - 200 * DAY, 1.0), (NOW, 2.0)]})
    await store.prune(NOW)
    assert await read(store) == {"": [(NOW, 2.0)]}


async def test_samples_of_wrong_clock_are_deleted(store: Store) -> None:
    await store.alerts.save_evaluations([evaluation(0, due=NOW + 3 * DAY)])
    await store.baselines.add("spike", "d", {"": [(NOW - HOUR, 1.0), (NOW + 3 * DAY, 2.0)]})
    await store.times.reset(NOW)
    assert await read(store) == {"": [(NOW - HOUR, 1.0)]}


async def test_needed_spans_are_enough(store: Store) -> None:
    everything = hours(26 * 7 * 24)
    await store.baselines.add("spike", "d", {"": everything})
    spans = needed_spans(NOW, UTC)
    found = (await store.baselines.samples("spike", "d", [""], spans))[""]
    assert len(found) < len(everything) / 50
    assert baseline_at(Samples(found), NOW, UTC) == baseline_at(Samples(everything), NOW, UTC)
    days = [whole_days_span(NOW, UTC)]
    of_days = (await store.baselines.samples("spike", "d", [""], days))[""]
    assert len(of_days) == 28 * 24
