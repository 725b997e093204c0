"""Counts a log as it streams by: its lines, levels, times and last lines, block by block and in
constant memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from bot.logs.bare_levels import DECIDING_LINES, begin_with_levels
from bot.logs.candidates import candidates, may_have_times_or_fields
from bot.logs.column_blocks import ColumnShape, column_shape_of
from bot.logs.field_shapes import BlockShape, field_shape_of
from bot.logs.grammar import LEAST_BYTES
from bot.logs.level_columns import LINE_END, level_column
from bot.logs.levels import LEVELS
from bot.logs.lines import levels_alone, read_line, without_colours
from bot.logs.minutes import KnownMinutes, minutes_of_lines, minutes_of_runs
from bot.logs.newest import TAIL_LINES, NewestLines
from bot.logs.placed_lines import PlacedLines
from bot.logs.reader import LineReader
from bot.logs.readings import DIGITS_ALIKE
from bot.logs.shapes import Shape, shape_of
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

TAIL_BYTES: Final = 400
LAST_BYTES: Final = TAIL_LINES * TAIL_BYTES * 4
# Of a longer line, only the beginning and the end are read.
LONGEST_LINE: Final = 65536
LONG_LINE_KEPT: Final = 4096
# Enough to see which level is the most common.
FITTING_BYTES: Final = 8192
# How many lines are tried as the shape of a block, and how many blocks are read line by line before
# another shape is tried.
_TRIED_LINES: Final = 8
_BLOCKS_WITHOUT: Final = 16
_MOST_ODD_BLOCKS: Final = 3
# This much of a block shows whether its lines are worth reading one by one; fewer lines show
# little.
_PROBED_BYTES: Final = 4096
_FEW_LINES: Final = 16
# The number of lines in which the first ones that are not blank are looked for.
_MOST_BLANK_LINES: Final = 256
# Lines with fewer bytes than this are short.
_SHORT_LINE: Final = 8
_LONG_ENOUGH: Final = compile_pattern(rb"\n[^\n]{%d,}" % LEAST_BYTES)
# If more than one line of another shape occurs in this many bytes, reading line by line is faster.
_BYTES_OF_ODD_LINE: Final = 400


@dataclass(slots=True)
class LogCounter(PlacedLines):
    """Counts redacted blocks as they pass. Blocks are cut anywhere; a line counts where it ends.

    `levels` counts the lines that have a level.
    """

    levels: Counter[str] = field(default_factory=Counter)
    # If several logs follow each other, the last lines are not the newest.
    newest: NewestLines | None = None
    _last: bytes = b""
    _open: bytes = b""
    _shape: Shape | None = field(default=None, compare=False)
    _column_shape: ColumnShape | None = field(default=None, compare=False)
    _without_shape: int = field(default=0, compare=False)
    _fields: BlockShape | None = field(default=None, compare=False)
    _without_fields: int = field(default=0, compare=False)
    # Consecutive blocks that had a line of another kind.
    _odd_blocks: int = field(default=0, compare=False)
    # Whether few consecutive lines share a minute.
    _has_short_runs: bool = field(default=False, compare=False)
    _known_minutes: KnownMinutes = field(default_factory=KnownMinutes, compare=False)
    # Whether most lines of the previous block were unlike any other, and how many blocks are still
    # to be read line by line.
    _is_sparse: bool = field(default=False, compare=False)
    _blocks_of_each: int = field(default=0, compare=False)
    _reader: LineReader = field(default_factory=LineReader, compare=False)
    # Counts the levels of lines of text within JSON.
    _texts: LogCounter | None = field(default=None, compare=False)
    # The first lines, until they show whether lines begin with a level.
    _beginning: list[bytes] | None = field(default_factory=list, compare=False)

    def feed(self, block: bytes) -> None:
        end = block.rfind(b"\n")
        if end >= 0:
            self._count(b"".join((b"\n", self._open, memoryview(block)[:end])))
            self._open = block[end + 1 :]
        else:
            self._open += block
        if len(self._open) > LONGEST_LINE:
            self._open = _shortened(self._open)

    def close(self) -> None:
        """Counts the last line, even if it has no line end."""
        if self._open:
            self._count(b"\n" + self._open)
            self._open = b""
        if self._beginning:
            self._decide_on_levels(self._beginning)

    def tail(self) -> tuple[str, ...]:
        """The last lines, each cut to what a preview shows. Of several logs, the newest lines in
        order of time.
        """
        if self.newest:
            return tuple(_shown(line) for line in self.newest.lines())
        lines = self._last.removeprefix(b"\n").split(b"\n")[-TAIL_LINES:] if self._last else []
        return tuple(map(_shown, lines))

    def counted_levels(self) -> dict[str, int]:
        return {level: self.levels[level] for level in LEVELS if self.levels[level]}

    def _count(self, text: bytes) -> None:
        """Counts a text with a line end before each line."""
        self._last = (self._last + text if len(text) < LAST_BYTES else text)[-LAST_BYTES:]
        text = without_colours(text)
        if self._beginning is not None:
            self._look_at_beginning(text)
        if self.newest or self._reader.has_bare_levels or self._reader.level_column:
            if not self._count_by_column(text):
                self._count_each(text)
            return
        beginning = text[:LONG_LINE_KEPT]
        if beginning.count(b"\n") * _SHORT_LINE > len(beginning):
            self._count_short_lines(text)
            return
        if self._count_by_fields(text):
            return
        at = self._count_by_shape(text)
        if at < len(text):
            self._count_other_lines(text[at:])

    def _look_at_beginning(self, text: bytes) -> None:
        """Decides by the first lines where lines of this log have their level. Some of them may have
        been counted already.
        """
        assert self._beginning is not None
        counted = len(self._beginning)
        # The number of lines split off is limited, since all of them may be blank.
        left = _MOST_BLANK_LINES - self.lines
        for line in text[1:].split(b"\n", max(left, 0))[: max(left, 0)]:
            if len(self._beginning) >= DECIDING_LINES:
                break
            if line.strip():
                self._beginning.append(_shortened(line))
        if len(self._beginning) >= DECIDING_LINES or text.count(b"\n", 0, LONGEST_LINE) >= left:
            self._decide_on_levels(self._beginning[:counted])

    def _decide_on_levels(self, counted: Sequence[bytes]) -> None:
        beginning = self._beginning or ()
        self._beginning = None
        has_bare_levels = begin_with_levels(beginning)
        column = None if has_bare_levels else level_column(beginning)
        if not has_bare_levels and column is None:
            return
        self._reader = LineReader(has_bare_levels=has_bare_levels, level_column=column)
        for line in counted:
            if read_line(line).level is None and (level := self._reader.read(line)[1]):
                self.levels[level] += 1

    def _count_short_lines(self, text: bytes) -> None:
        """Counts lines of which most are too short to have a time or a level, and belong to the
        line above.
        """
        longer = b"".join(_LONG_ENOUGH.findall(text))
        if not any(candidates(longer)):
            self.place(self.last, text.count(b"\n"))
        elif not self._count_candidates(text):
            self._count_each(text)

    def _count_other_lines(self, text: bytes) -> None:
        """Counts lines that share no shape. If most have neither time nor level, only the others
        are read.
        """
        if self.first is None and self._count_untimed(text):
            return
        if not self._is_sparse and not self._blocks_of_each:
            text = self._count_probe(text)
        if self._is_sparse:
            if self._count_candidates(text):
                return
            self._is_sparse = False
            self._blocks_of_each = _BLOCKS_WITHOUT
        self._blocks_of_each -= self._blocks_of_each > 0
        self._count_each(text)
        self._reader.end_block(text.count(b"\n"))

    def _count_untimed(self, text: bytes) -> bool:
        """Counts lines that have at most a level at their beginning. Returns false if any may have
        a time or fields, or if few have a level.
        """
        beginning = text[:_PROBED_BYTES]
        lines = beginning.split(b"\n")
        # If the same lines repeat, each is read once.
        is_repeated = len(set(lines)) * 4 < len(lines)
        if not is_repeated:
            # The reader recognises lines that differ only in digits.
            alike = set(beginning.translate(DIGITS_ALIKE).split(b"\n"))
            if len(alike) * 4 < len(lines) or next(levels_alone(beginning), None) is None:
                return False
        if may_have_times_or_fields(text):
            return False
        if is_repeated:
            for line, count in Counter(text[1:].split(b"\n")).items():
                if level := self._reader.read(line)[1]:
                    self.levels[level] += count
        else:
            self.levels.update(filter(None, levels_alone(text)))
        self.place(None, text.count(b"\n"))
        return True

    def _count_probe(self, text: bytes) -> bytes:
        """Decides by the first lines whether most are unlike any other, and returns the rest."""
        end = text.find(b"\n", _PROBED_BYTES)
        probe = text if end < 0 else text[:end]
        known_before = self._reader.unknown_lines
        self._count_each(probe)
        unknown = self._reader.unknown_lines - known_before
        self._is_sparse = unknown * 4 > probe.count(b"\n") >= _FEW_LINES
        return text[len(probe) :]

    def _count_candidates(self, text: bytes) -> bool:
        """Counts by reading only the lines that may have a time or a level. Returns false without
        counting anything if these are the majority.
        """
        found = [*candidates(text)]
        if len(found) * 2 > text.count(b"\n"):
            return False
        at = 0
        for start, end in found:
            self.place(self.last, text.count(b"\n", at, start))
            self._count_line(text[start + 1 : end])
            at = end
        self._reader.end_block(len(found))
        self.place(self.last, text.count(b"\n", at))
        return True

    def _count_by_shape(self, text: bytes) -> int:
        """Counts the lines of one shape, and the lines between them one by one. Returns where it
        stopped.
        """
        shape = self._shape or self._learned(text)
        if shape is None:
            return 0
        at = 0
        odd = 0
        most_odd = len(text) // _BYTES_OF_ODD_LINE + 4
        while at < len(text):
            end = self._count_run(shape, text, at)
            if end == at:
                odd += 1
                if odd > most_odd:
                    self._shape = None
                    self._without_shape = _BLOCKS_WITHOUT
                    return at
                end = text.find(b"\n", at + 1)
                end = len(text) if end < 0 else end
                self._count_each(text[at:end])
            at = end
        return at

    def _count_by_column(self, text: bytes) -> bool:
        """Counts lines with a level column. Returns false if most have to be read individually."""
        shape = None if self.newest else self._column_shape or self._learned_column(text)
        if shape is None:
            return False
        found = shape.lines_in(text)
        minutes = self._known_minutes.of(shape.form, shape.behind, found.counted_minutes)
        if len(found.odd) * 2 > len(found.minutes) or minutes is None:
            self._column_shape = None
            self._without_shape = _BLOCKS_WITHOUT
            return False
        self.levels.update(found.levels)
        if not found.odd:
            self.place_all(minutes, found.counted_minutes)
            self.last = minutes[found.minutes[-1]]
            return True
        lines = text.split(b"\n")
        counted = 0
        for number in found.odd:
            if found.minutes[number]:
                if level := self._reader.read(lines[number + 1])[1]:
                    self.levels[level] += 1
            else:
                self._place_written(minutes, found.minutes[counted:number])
                self._count_line(lines[number + 1])
                counted = number + 1
        self._place_written(minutes, found.minutes[counted:])
        return True

    def _place_written(self, minutes: Mapping[bytes, Minute], written: Sequence[bytes]) -> None:
        if written:
            self.place_all(minutes, Counter(written))
            self.last = minutes[written[-1]]

    def _learned_column(self, text: bytes) -> ColumnShape | None:
        column = self._reader.level_column
        if self._without_shape or column is None:
            self._without_shape -= self._without_shape > 0
            return None
        for line in text[1:LONG_LINE_KEPT].split(b"\n")[:_TRIED_LINES]:
            if shape := column_shape_of(line, column):
                self._column_shape = shape
                return shape
        self._without_shape = _BLOCKS_WITHOUT
        return None

    def _count_by_fields(self, text: bytes) -> bool:
        """Counts lines whose time and level are in the same fields. Returns false if any line
        differs.
        """
        fields = self._fields or self._learned_fields(text)
        if fields is None:
            return False
        counted = fields.count(text)
        minutes = (
            {written: fields.minute(written) for written in counted.minutes} if counted else {}
        )
        if counted is None or None in minutes.values():
            self._forget_fields()
            return False
        self._odd_blocks = 0
        self.levels.update(counted.levels)
        for written, count in counted.minutes.items():
            self.place(minutes[written], count)
        self.last = minutes[counted.last]
        if counted.texts:
            self._count_levels_of(counted.texts.encode("utf-8", "surrogatepass"))
        return True

    def _forget_fields(self) -> None:
        """Forgets the fields after several blocks with a different line. One damaged line must not
        slow down the next blocks.
        """
        self._odd_blocks += 1
        if self._odd_blocks >= _MOST_ODD_BLOCKS:
            self._fields = None
            self._without_fields = _BLOCKS_WITHOUT
            self._odd_blocks = 0

    def _learned_fields(self, text: bytes) -> BlockShape | None:
        is_json = text.startswith(b"\n{")
        if self._shape and not is_json:
            return None
        if self._without_fields:
            self._without_fields -= 1
            return None
        end = text.find(b"\n", 1, LONG_LINE_KEPT)
        line = text[1 : end if end > 0 else len(text)]
        shape = None if is_json else shape_of(line)
        if shape and end > 0 and not self._without_shape:
            # Otherwise the same shape would be found again.
            self._shape = shape.fitted_to(text[:FITTING_BYTES])
        self._fields = None if shape else field_shape_of(line)
        if self._fields is None:
            self._without_fields = _BLOCKS_WITHOUT
        return self._fields

    def _learned(self, text: bytes) -> Shape | None:
        """The shape of the first line that has one."""
        if self._without_shape:
            self._without_shape -= 1
            return None
        for line in text[1:LONG_LINE_KEPT].split(b"\n")[:_TRIED_LINES]:
            if shape := shape_of(line):
                self._shape = shape.fitted_to(text[:FITTING_BYTES])
                return self._shape
        self._without_shape = _BLOCKS_WITHOUT
        return None

    def _count_run(self, shape: Shape, text: bytes, at: int) -> int:
        """Counts consecutive lines of the shape. Returns where they end."""
        start = at
        counted = minutes_of_lines(shape.line, text) if self._has_short_runs and not at else None
        counted = counted or minutes_of_runs(shape.run, text, at)
        self._has_short_runs = counted.has_short_runs
        found = counted.minutes
        at = counted.end
        lines = found.total()
        if not lines:
            return start
        stretch = text if (start, at) == (0, len(text)) else text[start:at]
        minutes = self._known_minutes.of(shape.form, shape.behind, found)
        levels = None if minutes is None else shape.levels_in(stretch, lines)
        if minutes is None or levels is None:
            self._count_each(stretch)
            return at
        self.levels.update(levels)
        read = 0
        for line in shape.lines_to_read(stretch):
            read += 1
            if level := self._reader.read(line)[1]:
                self.levels[level] += 1
        if read:
            self._reader.end_block(read)
        if read * 2 > lines >= _FEW_LINES:
            # If most lines have to be read individually, the shape is of no use.
            self._shape = None
            self._without_shape = _BLOCKS_WITHOUT
        self.place_all(minutes, found)
        self.last = minutes[counted.last]
        return at

    def _count_line(self, line: bytes) -> None:
        """Counts one line, where reading many at once is not worthwhile."""
        if line.startswith((b"{", b"[{")):
            self._count_each(b"\n" + line)
            return
        minute, level = self._reader.read(line)
        if level:
            self.levels[level] += 1
        if minute:
            self.last = minute
        self.place(self.last, 1)

    def _count_each(self, text: bytes) -> None:
        """Counts line by line a text with a line end before each line."""
        minute = self.last
        count = 0
        levels = self.levels
        newest = self.newest
        read = self._reader.read_like
        read_json = self._reader.read_json_like
        self._reader.json.put_off_texts()
        lines = text.split(b"\n")
        alike = text.translate(DIGITS_ALIKE).split(b"\n")
        for line, digits_alike in zip(islice(lines, 1, None), islice(alike, 1, None), strict=True):
            is_json = line.startswith((b"{", b"[{"))
            found, level = (read_json if is_json else read)(line, digits_alike)
            if level:
                levels[level] += 1
            if found and found != minute:
                if count:
                    self.place(minute, count)
                    count = 0
                minute = found
            count += 1
            if newest:
                newest.offer(line, minute, has_time=found is not None)
        self.place(minute, count)
        self.last = minute
        levels.update(self._reader.json.take_more_levels())
        if texts := self._reader.json.take_texts():
            self._count_levels_of(b"\n".join(texts) + b"\n")

    def _count_levels_of(self, texts: bytes) -> None:
        """Counts the levels of text lines that were inside JSON, like those of a separate log."""
        if self._texts is None:
            self._texts = LogCounter(_beginning=None)
        self._texts.feed(texts)
        self.levels.update(self._texts.levels)
        self._texts.levels.clear()


def _shortened(line: bytes) -> bytes:
    """The beginning of a long line and its end, which may hold the level."""
    return line if len(line) <= LONG_LINE_KEPT else line[:LONG_LINE_KEPT] + line[-LINE_END:]


def _shown(line: bytes) -> str:
    return line[:TAIL_BYTES].removesuffix(b"\r").decode("utf-8", "replace")
