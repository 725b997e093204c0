"""What the lines of one log have in common, so that most of them need no look of their own.

A line of text is read by its shape: the bytes in front of its minute, the form of its time, and
either the bytes between its time and its level, or that nothing after the time is a level.
Lines that share all that, and the minute, are taken in by one match.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from bot.logs import field_names, fields, levels, signs, time_forms
from bot.logs.grammar import (
    AT_ONCE_LETTER,
    CONTINUES,
    FAR_ENOUGH,
    LEAST_BYTES,
    QUOTED_BEHIND,
    is_behind_lead,
)
from bot.logs.lines import (
    SYSLOG_FORMS,
    at_start,
    holds_earlier_time,
    is_text,
    level_alone,
    level_before,
    read_line,
    time_further_on,
)
from bot.logs.minutes import minute_like, rest_like, seconds_like
from bot.logs.reader import Spans, level_span
from bot.logs.readings import (
    minute_at,
    spans_at,
)
from providers.patterns import compile_pattern, lazy_pattern

# The text before a time, and between a time and a level, if it is the same in every line.
MOST_BEFORE: Final = 80
MOST_BETWEEN: Final = 80
_WORDS_IN_CAPITALS: Final = {word.upper(): level for word, level in levels.LEVEL_OF_WORD.items()}
_WORDS_IN_LOWER_CASE: Final = dict(levels.LEVEL_OF_WORD)
_CAPITALISED_WORDS: Final = {
    word.capitalize(): level for word, level in levels.LEVEL_OF_WORD.items()
}
_COMMON: Final = tuple(
    spelt
    for word in (b"info", b"debug", b"warn", b"warning", b"error")
    for spelt in (word.upper(), word, word.capitalize())
)
_DIGITS: Final = compile_pattern(rb"\d{1,6}(?!\d)")
_PAIR_KEY: Final = compile_pattern(rb"([\w@.]{1,32}+)=")
_TENS: Final = {
    b"%d" % number: levels.level_of_field(b"%d" % number) for number in (10, 20, 30, 40, 50, 60)
}
_SEVERITIES: Final = {
    b"%d" % number: level for number, level in enumerate(levels.LEVEL_OF_SEVERITY)
}
_PRIORITY: Final = compile_pattern(rb"<\d{1,3}>")
_PRIORITY_OF_LINE: Final = compile_pattern(rb"\n(?:\d{1,5} )?<(\d{1,3})>")
# 10.0.0.1 - ada [
_CLIENT: Final = compile_pattern(rb"\d{1,3}(?:\.\d{1,3}){3} - (?:-|[a-z][\w.@-]{0,31}+) \[")
# With a year after it, a syslog time is a ctime one.
_NO_YEAR: Final = rb"(?! (?:[A-Z]{3,4} |[+-]\d{4} )?(?:19|20)\d\d\b)"
# If two columns hold such words, the first may be the component.
_NO_SECOND_COLUMN: Final = rb"(?! \| (?:" + levels.CAPITALS + rb") \|)"
_AUDIT: Final = compile_pattern(rb"type=[A-Z_0-9]{1,40}+ msg=audit\(")


@dataclass(frozen=True, slots=True)
class Shape:
    """The beginning of lines, with the same bytes and a time in one notation, and the places of
    their levels.
    """

    form: str
    behind: bytes
    run: re.Pattern[bytes]
    # One such line, for logs in which consecutive lines seldom share a minute.
    line: re.Pattern[bytes]
    # The text around the level, for each level; and its distance from the start of the line, if
    # that is always the same.
    level_of: Mapping[bytes, str]
    offset: int | None = None
    # For fields: those that must occur once in each line, and those that must not occur because
    # they would take precedence.
    once: tuple[bytes, ...] = ()
    never: tuple[bytes, ...] = ()
    has_priority: bool = False
    # Whether a line with the sign of a level is to be read individually.
    is_screened: bool = False

    def levels_in(self, text: bytes, lines: int) -> Counter[str] | None:
        """The levels of a run of lines; None if any line contains what looks like a second level
        and has to be read individually.
        """
        if any(text.count(key) != lines for key in self.once):
            return None
        if self.never and fields.has_pair(_scan_of(*self.never), text):
            return None
        if self.has_priority:
            return _levels_of_priorities(text, lines)
        if not self.level_of:
            return Counter()
        if self.offset is not None:
            return _levels_at(self.level_of, self.offset, text, lines)
        found = _occurrences(self.level_of, text)
        return found if found.total() == lines else None

    def lines_to_read(self, text: bytes) -> Iterable[bytes]:
        """The lines of a run that may still have a level."""
        return signs.lines_with_signs(text) if self.is_screened else ()

    def fitted_to(self, sample: bytes) -> Shape:
        """The same shape with the level first that is the most common in a text of such lines."""
        heads = [*self.level_of]
        if not heads:
            return self
        matches = _scan_of(*heads).find_matches_as_indexes(sample)
        found = Counter([head for head, _, _ in matches])
        by_count = [
            heads[at] for at in sorted(range(len(heads)), key=found.__getitem__, reverse=True)
        ]
        return replace(self, level_of={head: self.level_of[head] for head in by_count})


def shape_of(line: bytes) -> Shape | None:
    """The shape of a line that has a time and, after it, a level as a word or a
    number, or none.
    """
    spans = level_span(line)
    return _shape_with_level(line, spans) if spans else _shape_without_level(line)


def _shape_with_level(line: bytes, spans: Spans) -> Shape | None:
    before = line[: spans.minute[0]]
    between = line[spans.behind[1] : spans.level[0]]
    after = line[spans.level[1] : spans.level[1] + 1]
    if (
        not after
        or after.isalnum()
        or len(before) > MOST_BEFORE
        or not 0 < len(between) <= MOST_BETWEEN
    ):
        return None
    return _shape_of_parts(
        spans.form,
        before,
        # The same number of digits as here, since most logs always write the same number.
        *minute_like(line[slice(*spans.minute)], spans.form),
        seconds_like(line[spans.minute[1] : spans.behind[0]], spans.form),
        line[slice(*spans.behind)],
        between,
        line[slice(*spans.level)],
        after,
        spans.after,
        spans.behind[0] + 1,
    )


# The logs of many questions are written by the same program.
@lru_cache(maxsize=64)
def _shape_of_parts(
    form: str,
    before: bytes,
    minute: bytes,
    is_wide: bool,
    seconds: bytes,
    behind: bytes,
    between: bytes,
    word: bytes,
    after: bytes,
    after_pattern: bytes,
    offset: int,
) -> Shape | None:
    """The shape of lines with these parts: the text before the minute, patterns of the minute and
    of the seconds, the text before the level, the level, and the text after it.
    """
    is_fields = b"=" in before
    words = _words_like(word, is_fields=is_fields)
    if word not in words:
        return None
    once, never = _conditions(before, between)
    if not once and is_fields:
        return None
    heads = {behind + between + each + after: level for each, level in words.items()}
    likeliest = behind + between + word + after
    heads = {likeliest: heads[likeliest], **heads}
    tail = (
        seconds
        + re.escape(behind + between)
        + rb"(?:"
        + _any_of([word, *_COMMON, *words], words)
        + rb")"
        + (rb"(?=" + after_pattern + rb")" if after_pattern else b"")
        + _NO_SECOND_COLUMN
        + re.escape(after)
        + rb"[^\n]*+"
    )
    patterns = _patterns_of(re.escape(before), minute, tail)
    return Shape(form, behind, *patterns, heads, None if is_wide else offset, once, never)


def _shape_without_level(line: bytes) -> Shape | None:
    """The shape of a line of text that has a time and no level, or one in its priority."""
    head = line[:FAR_ENOUGH]
    if _AUDIT.match(head):
        return _audit_shape(head)
    if len(line) < LEAST_BYTES or not is_text(line):
        return None
    start = beginning_of(line)
    if start is None or (not start.has_priority and read_line(line).level):
        return None
    guard = line[start.end : start.end + 1]
    quoted = QUOTED_BEHIND.match(head, start.end)
    if quoted:
        end = re.escape(quoted[0])
    elif start.has_priority or start.form in SYSLOG_FORMS:
        end = re.escape(guard)
    else:
        end = rb"(?=" + re.escape(guard) + rb")(?!" + AT_ONCE_LETTER + rb")"
    patterns = _patterns_of(start.before, start.minute, start.rest + end + rb"[^\n]*+")
    is_screened = not (start.has_priority or quoted)
    return Shape(
        start.form,
        start.behind,
        *patterns,
        {},
        has_priority=start.has_priority,
        is_screened=is_screened,
    )


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a line of text: patterns of the text before its minute, of the minute, and
    of the rest of its time; and where that ends.
    """

    form: str
    behind: bytes
    before: bytes
    minute: bytes
    rest: bytes
    end: int
    has_priority: bool


def beginning_of(line: bytes) -> Beginning | None:
    """The beginning of a line that has its time, without a level before it other than a priority."""
    head = line[:FAR_ENOUGH]
    match = at_start(head)
    is_first = True
    if match is None:
        if CONTINUES.match(head) or level_alone(head):
            return None
        match = time_further_on(head)
        is_first = False
        if match and holds_earlier_time(head, match):
            return None
    if match is None or minute_at(match) is None:
        return None
    by_lead = is_behind_lead(match)
    has_priority = by_lead and bool(match["priority"])
    if by_lead and not has_priority and (level_before(match) or match["redis"]):
        return None
    form, minute_at_, behind_at = spans_at(match)
    before = line[: minute_at_.start]
    behind = line[behind_at]
    guard = line[match.end() : match.end() + 1]
    if len(before) > MOST_BEFORE or not guard or guard.isalnum():
        return None
    start = re.escape(before) if is_first and not has_priority else with_any_digits(before)
    if has_priority:
        start = _PRIORITY.sub(rb"<\\d{1,3}>", start, count=1)
    elif client := _CLIENT.fullmatch(before):
        start = client.re.pattern
    minute, _ = minute_like(line[minute_at_], form)
    rest = rest_like(line[minute_at_.stop : behind_at.start], form, is_behind_lead=by_lead)
    # No other offset, and no AM or PM.
    end = re.escape(behind) + (
        rb"(?!" + time_forms.OFFSET + rb"|:?\d)"
        if behind
        else rb"(?!" + time_forms.FORM_OF[form].behind_unnamed() + rb")"
    )
    if form == "syslog":
        end += _NO_YEAR
    return Beginning(form, behind, start, minute, rest + end, match.end(), has_priority)


def _audit_shape(head: bytes) -> Shape | None:
    form = time_forms.FORM_OF["epoch"]
    run, line = _patterns_of(_AUDIT.pattern, form.pattern_of_minute(), form.rest + rb":[^\n]*+")
    return Shape("epoch", b"", run, line, {}) if run.match(b"\n" + head) else None


def _patterns_of(
    before: bytes, minute: bytes, tail: bytes
) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Patterns for lines that share a minute, and for one line."""
    line = rb"\n" + before + rb"(" + minute + rb")" + tail
    # In a separate group, since a digit may follow.
    again = rb"(?:\n" + before + rb"(?:\1)" + tail + rb")*+"
    return compile_pattern(line + again), lazy_pattern(line)


def with_any_digits(before: bytes) -> bytes:
    """A pattern for the same bytes with any numbers in them."""
    return _DIGITS.sub(rb"\\d{1,6}+", re.escape(before))


def _words_like(word: bytes, *, is_fields: bool) -> dict[bytes, str]:
    """The levels as written in a log that writes one in this way."""
    for words in (_WORDS_IN_CAPITALS, _WORDS_IN_LOWER_CASE, _CAPITALISED_WORDS, _TENS, _SEVERITIES):
        if word in words:
            known = {each: level for each, level in words.items() if level}
            return (
                known
                if is_fields
                else {
                    each: level
                    for each, level in known.items()
                    if each.lower() in levels.PLAIN_WORDS
                }
            )
    return {}


def _conditions(before: bytes, between: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The fields that must occur once and those that must not occur, if the time and the level of a
    line are in its fields.
    """
    time_keys = _PAIR_KEY.findall(before)
    level_keys = _PAIR_KEY.findall(between)
    if b"{" in before + between or not time_keys or not level_keys:
        return (), ()
    time_key = time_keys[-1].decode().lower()
    level_key = level_keys[-1].decode().lower()
    if time_key not in field_names.TIME_KEYS or level_key not in field_names.LEVEL_KEYS:
        return (), ()
    level_names = list(field_names.LEVEL_KEYS)
    never = (
        *field_names.TIME_KEYS[: field_names.TIME_KEYS.index(time_key)],
        *level_names[: level_names.index(level_key)],
        "date",
        *field_names.names_with_own_numbers(),
    )
    return (b" " + level_keys[-1] + b"=",), tuple(name.encode() + b"=" for name in never)


def _any_of(likeliest_first: Iterable[bytes], words: Mapping[bytes, str]) -> bytes:
    """The text after a word distinguishes it from a longer one, so any order works."""
    return b"|".join(re.escape(word) for word in dict.fromkeys(likeliest_first) if word in words)


def _levels_of_priorities(text: bytes, lines: int) -> Counter[str] | None:
    found: Counter[str] = Counter()
    for priority, count in Counter(_PRIORITY_OF_LINE.findall(text)).items():
        found[levels.level_of_severity(priority) or ""] += count
    return found if found.total() == lines else None


def _levels_at(level_of: Mapping[bytes, str], offset: int, text: bytes, lines: int) -> Counter[str]:
    """The levels of lines that each have one at this place. Those not found to be another level are
    the most common one.
    """
    commonest, *others = level_of
    found: Counter[str] = Counter()
    newline = 10
    matches = _scan_of(*others).find_matches_as_indexes(text)
    for other, count in Counter(
        [other for other, start, _ in matches if text[start - offset] == newline]
    ).items():
        found[level_of[others[other]]] += count
    found[level_of[commonest]] += lines - found.total()
    return found


def _occurrences(level_of: Mapping[bytes, str], text: bytes) -> Counter[str]:
    """How often each level occurs, by the text around it. The first level is the most common."""
    commonest, *others = level_of
    found = Counter({level_of[commonest]: text.count(commonest)})
    for other, count in Counter(
        other for other, _, _ in _scan_of(*others).find_matches_as_indexes(text)
    ).items():
        found[level_of[others[other]]] += count
    return found


@lru_cache(maxsize=64)
def _scan_of(*heads: bytes) -> BytesAhoCorasick:
    """Finds the less common levels in much less time than a search for each would take."""
    return BytesAhoCorasick(heads)
