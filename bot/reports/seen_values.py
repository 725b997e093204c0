"""Which values were seen on which days, as compact sets. A value is stored as eight bytes, so that
the names and addresses themselves are not stored.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import chain

from msgspec import Struct, field

from providers.models import Window

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
WHOLE_DAY = DAY // MICROSECOND
# A set of more values than that says nothing about those that are not in it.
MOST_ENTRIES = 20_000
# What is covered of a day is seldom in more than a few parts.
MOST_PARTS = 200
# The digests of longer values are not kept in memory.
LONGEST_KNOWN = 100
# Eight for the digest, and sixteen for the two numbers.
_BYTES = 24
_NUMBER = struct.Struct("<Q")

# By the digest of a value: two numbers of the day, such as when it was first and last seen, in
# microseconds since midnight UTC. Of two readings of a day the lower first and the higher second
# number are right.
Entries = Mapping[int, tuple[int, int]]
# Parts of a day, from a microsecond to another one.
Parts = Sequence[tuple[int, int]]


def digest_of(text: str) -> int:
    """The number that represents a value."""
    return _known_digest(text) if len(text) <= LONGEST_KNOWN else _digest(text)


# The same few values are compared again and again.
@lru_cache(maxsize=16_384)
def _known_digest(text: str) -> int:
    return _digest(text)


def _digest(text: str) -> int:
    encoded = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "little")


def digest_in_hour(hour: int, text: str) -> int:
    """The number that represents a value in one hour of the day."""
    return digest_of(f"{hour} {text}")


def erased_digests(text: str) -> list[int]:
    """Every number that represents a value."""
    return [digest_of(text), *(digest_in_hour(hour, text) for hour in range(24))]


@dataclass(frozen=True)  # Without slots, for the cached properties.
class SeenSet:
    """The values of one kind on one day, packed: their digests, and then their numbers, since most
    days are asked for the digests alone.
    """

    packed: bytes = b""

    @classmethod
    def of(cls, entries: Entries) -> SeenSet:
        """The set of these entries, or of as many of them as are taken."""
        digests = sorted(entries)[:MOST_ENTRIES]
        numbers = chain(digests, *(entries[digest] for digest in digests))
        return cls(struct.pack(f"<{3 * len(digests)}Q", *numbers))

    def __len__(self) -> int:
        return len(self.packed) // _BYTES

    @property
    def is_full(self) -> bool:
        """Whether values may have been left out."""
        return len(self) >= MOST_ENTRIES

    @property
    def digests(self) -> Sequence[int]:
        return struct.unpack_from(f"<{len(self)}Q", self.packed)

    @cached_property
    def entries(self) -> Entries:
        numbers = struct.unpack_from(f"<{2 * len(self)}Q", self.packed, 8 * len(self))
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return dict(zip(self.digests, pairs, strict=True))

    def highest(self, wanted: Iterable[int]) -> int:
        """The highest second number of the wanted values; zero where none is in the set. Only the
        numbers that are needed are unpacked.
        """
        if not (found := self._distinct.intersection(wanted)):
            return 0
        digests = self.digests
        first = 8 * (len(digests) + 1)
        places = (first + 16 * bisect_left(digests, each) for each in found)
        return max(int(_NUMBER.unpack_from(self.packed, place)[0]) for place in places)

    @cached_property
    def _distinct(self) -> frozenset[int]:
        """The digests, for questions about several values."""
        return frozenset(self.digests)

    def merged(self, other: SeenSet) -> SeenSet:
        """What both readings of a day have found."""
        if not self.packed or self.packed == other.packed:
            return other
        entries = dict(self.entries)
        for key, (low, high) in other.entries.items():
            before = entries.get(key)
            entries[key] = (min(before[0], low), max(before[1], high)) if before else (low, high)
        return SeenSet.of(entries)

    def without(self, digests: Iterable[int]) -> SeenSet:
        """The same without some values."""
        left = set(digests)
        return SeenSet.of({key: kept for key, kept in self.entries.items() if key not in left})


class SeenDay(Struct, frozen=True):
    """What is known of one day in UTC: its sets by kind, and the parts of it that were read
    completely.
    """

    day: date
    sets: Mapping[str, SeenSet] = field(default_factory=dict)
    covered: Parts = ()

    @property
    def start(self) -> datetime:
        return midnight(self.day)

    def merged(self, other: SeenDay) -> SeenDay:
        """What two readings of the day have found."""
        sets = dict(self.sets)
        for kind, found in other.sets.items():
            sets[kind] = sets.get(kind, SeenSet()).merged(found)
        return SeenDay(self.day, sets, merged_parts([*self.covered, *other.covered]))

    def gaps(self, window: Window) -> list[tuple[int, int]]:
        """The parts of the day inside the window that were not read."""
        start, end = part_of(window, self.day)
        found = []
        for first, last in self.covered:
            if first > start:
                found.append((start, min(first, end)))
            start = max(start, last)
            if start >= end:
                break
        return [*found, (start, end)] if start < end else found


def merged_parts(parts: Iterable[tuple[int, int]]) -> Parts:
    """The parts in order, joined where they touch."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found[:MOST_PARTS]


def part_of(window: Window, day: date) -> tuple[int, int]:
    """The part of a day that a window covers; an empty one where it ends before it starts."""
    start = midnight(day)
    first = (window.start - start) // MICROSECOND
    last = (window.end - start) // MICROSECOND
    return max(0, first), min(WHOLE_DAY, last)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
