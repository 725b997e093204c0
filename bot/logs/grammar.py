"""The beginnings of log lines, as patterns made of the tables of times and of places. Each is
linear, and looks no further than `FAR_ENOUGH`.
"""

from __future__ import annotations

import re
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from bot.logs import levels, time_forms
from bot.logs.levels import CAPITALS, SOME_CASE
from bot.logs.place_hints import HINTS
from bot.logs.places import Where, any_place
from providers.patterns import compile_pattern, lazy_pattern

# Times and levels are looked for up to this far into a line of text.
FAR_ENOUGH: Final = 512
ANSI: Final = compile_pattern(
    rb"\x1b(?:\[(?!\x1b)[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,64}\x07|[()][A-B0-2])"
)

# Before the time: a priority, a level followed by a thread or similar, the role of a Redis server,
# the name of a container.
_LEAD: Final = (
    rb"(?:\[rank\d{1,5}\]: ?)?+(?:(?:\d{1,5} )?<(?P<priority>\d{1,3})>(?:\d{1,2} )?)?+[ \t]{0,16}+"
    rb"(?:(?:" + any_place(Where.BEFORE) + rb")[:,;|]?[ \t]{0,16}+"
    rb"(?:(?>\[[^\[\]\n]{0,120}(?:\[[^\]\n]{0,60}\][^\[\]\n]{0,80})?\]|\([^()\n]{0,80}\)|jvm \d{1,4}|[|-])[ \t]{0,8}){0,3}?"
    rb"|(?:[\w.-]{1,64} {1,20}\| {0,4})?(?P<redis>\d{1,7}:(?:\d{1,7}:)?[MSCX]) |\[\d{1,7}\] (?=\d\d [A-Z])"
    rb"|[\w.-]{1,64} {1,20}\| {0,4}"
    # Processes in the notation of Zabbix, Sybase and strace; actions of Windows Installer.
    rb"|\d{1,8}:(?:\d{4,5}:){0,4}(?=\d{4}/\d\d/|\d{8}:\d{6}\.)|\d{1,8} {1,4}(?=\d\d:\d\d:\d\d\.\d)"
    rb"|MSI \([a-zA-Z]\) \([0-9A-F:!]{3,12}\) (?=\[)"
    # A file and a line number, as grep shows them.
    rb"|[\w./-]{1,120}:(?:\d{1,7}:)?(?=\d{4}-\d\d-\d\d[ T]\d)"
    # The name of a debug log.
    rb"|[A-Za-z][\w ]{0,40}: {0,4}(?=\d{4}-\d\d-\d\d[ T]|\d\d/\d\d/\d{4} )"
    rb"|[0-9a-f]{8}\.[0-9a-f]{8}::"
    # Seconds since the start.
    rb"|\d{1,8}\.\d{3} (?=\d{4}-\d\d-\d\d )"
    # A unit of Juju.
    rb"|[a-z][\w.-]{0,60}: (?=\d\d:\d\d:\d\d [A-Z])"
    rb"|#\d\.\d#|# Time: {1,2}|\[\d{1,7}:\d{1,7}:(?=\d{4}/)|\d{1,3},(?=\d\d/\d\d/\d\d,)"
    rb"|[A-Z]{2}/\d{1,3}/[A-Z\d]{1,8}/CPU\d:"
    # The level of BeeGFS; the process and the thread of Commvault.
    rb"|\(\d\) (?=[A-Z][a-z]{2}\d\d )|\d{1,8} {1,8}[0-9a-f]{1,8} {1,8}(?=\d\d/\d\d \d\d:\d\d:\d\d )"
    rb")?"
)
_OPENING: Final = rb"[\[(\"'*:.-]{0,2}+ {0,2}(?:" + time_forms.WEEKDAY + rb")?+"
# Without anything before it, which is faster, and with optional text before it. Compiling the large
# patterns takes a tenth of a second, and most logs need few of them.
TIME_FIRST: Final = lazy_pattern(_OPENING + time_forms.any_time(at_start=True))
TIME_BEHIND_LEAD: Final = lazy_pattern(_LEAD + _OPENING + time_forms.any_time(at_start=True))


def is_behind_lead(match: re.Match[bytes]) -> bool:
    """Whether a time was found by `TIME_BEHIND_LEAD`."""
    return "priority" in match.re.groupindex


# Further into the line, and what suggests that there may be one.
TIME_ANYWHERE: Final = lazy_pattern(rb"(?<![\w.:/\\-])" + time_forms.any_time(at_start=False))
# Numbers with more or fewer digits than an epoch are not times, and four digits after a colon are a
# port.
TIME_HINT: Final = compile_pattern(
    rb"\d(?::\d\d(?!\d)|(?<!\d\d)\d{9}(?:\d{3}|\d{6}|\d{9})?(?!\d)|T\d{6}|-\d\d\.\d\d\.)"
)
# Every time contains one of these, or TAI64, so most lines without a time need no further look.
DIGITS_OF_TIME: Final = (
    rb"\d(?::\d|-\d\d\.\d\d\.|h\d\d\.\d|[ _T]\d{1,2}[.-]\d\d[.-]\d"
    # A long run of digits is not part of a longer word.
    rb"|(?<!\w\d)(?:\d{9}|\.\d{8}|\d{7}[T .-]\d{4}|\d{5} {1,2}\d{6}|\d{3}/\d{6}\.\d))"
)
TIME_SIGN: Final = compile_pattern(rb"@4\d{4}|" + DIGITS_OF_TIME)
# Shorter lines have neither time nor level.
LEAST_BYTES: Final = 6
# Two plain words at the beginning, or three further on, indicate prose.
PROSE: Final = compile_pattern(
    rb"(?:^[A-Za-z]{2,32}+[,:]? |(?<!\S)[A-Za-z]{2,32}+[,:]? [a-z]{2,32}+[,:]? )[a-z]{2,32}+[,:]?(?= )"
)
# Text that cannot begin a record: stack frames and other continuation lines.
CONTINUES: Final = compile_pattern(
    rb"[ \t}\])](?!\d{1,4}\(\d{1,10}\) [A-Z]|(?:INFO|WARN) [a-z]\w{1,30}: )|at |\.\.\.|Caused by|Traceback|$"
)

# Text that may come between the time and the level.
_TOKEN_ALONE: Final = (
    rb"(?>"
    rb"\[[^\[\]\n]{0,120}(?:\[[^\[\]\n]{0,60}(?:\[[^\[\]\n]{0,40}\])?[^\[\]\n]{0,60}\][^\[\]\n]{0,80})?\]:?"
    rb"|\([^()\n]{0,80}\)|\{[^{}\n]{0,120}\}|<[\w.-]{1,32}>"
    rb"|std(?:out|err) [FP]"
    # program[1]:
    rb"|[\w.:/-]{1,64}\[[\w.:-]{1,16}\]:?"
    # host program[1]:
    rb"|[\w.:-]{0,63}[\w.-] (?!(?:"
    + SOME_CASE
    + rb"|level|LEVEL)(?:\[\d{1,4}\])?:)[\w./()-]{1,64}(?:\[[\w.-]{1,12}\])?:(?= )"
    # main pid 1:
    rb"|(?:[a-z_]{1,20} )?pid \d{1,10}:"
    # name - , name | , name > , name => , name(12)
    rb"|[\w-]{1,32} =?>(?= )|[\w.-]{1,64}\(\d{1,10}\)(?= )"
    rb"|[\w.:$-]{1,64} -(?= )|[\w.:$-]{1,64} {1,24}:(?= (?:"
    + CAPITALS
    + rb") )|[\w.:$/()-]{1,64} {0,16}\|"
    rb"|\w{1,64}(?=\t)"
    # text that contains a digit
    rb"|(?=[^\s\d\"\[\](){}<>|]{0,64}\d)[^\s\"\[\](){}<>|]{1,120}[\])]?"
    # org.example.Main, web/app:
    rb"|/?[\w$]{1,64}(?:[.:/@$\\-]{1,3}[\w$*]{1,64}){1,12}:?"
    rb"|[\w.]{1,32}=[^\s\"\[\](){}<>|]{0,80}(?: [\w.]{1,32}=(?:<[\d.]{1,16}>|[^\s\"\[\](){}<>|,]{0,80})(?=[ \t])){0,15}"
    rb"|NULL(?= )|[A-Z]{1,40}_[A-Z_]{1,40}"
    rb"|[-|*:>]{1,3}|\xc2\xbb|\xe2(?:\x80\xa2|\x86\x92|\x94\x82|\x9d\xaf)"
    # I, [2026-…]; Bake JID-1
    rb"|[DIWEFA],(?= \[)|[A-Z][\w:]{0,64}(?= JID-)"
    rb")"
)
_TOKEN: Final = _TOKEN_ALONE + rb"(?:[ \t]{1,24}+|(?=[\[({<|-])|(?<=[\])|:]))"
# In a syslog message, a level is a separate word.
_TOKEN_APART: Final = _TOKEN_ALONE + rb"(?:[ \t]{1,24}+|(?=[\[({<|-]))"
_GAP: Final = rb"(?: >|/[\d.]{1,16}|[\])}\"'>]{0,2}+)(?:[ \t]{0,8}[-|,;:][ \t]{0,4}|[ \t]{1,24}+|(?=[\[<(|]))?+"
LEVEL_AT_ONCE: Final = lazy_pattern(
    _GAP + rb"(?:" + any_place(Where.AT_ONCE_LETTER, Where.AT_ONCE) + rb")"
)
# Go's `log` package writes its times as year_first, without a level after them.
LEVEL_AT_ONCE_LOWER: Final = lazy_pattern(
    _GAP + rb"(?:" + any_place(Where.AT_ONCE_LETTER, Where.AT_ONCE, Where.AT_ONCE_LOWER) + rb")"
)
# The same without the parts that are words, for use in other patterns.
AT_ONCE_LETTER: Final = (
    _GAP + rb"(?:" + re.sub(rb"\(\?P<\w+>", b"(?:", any_place(Where.AT_ONCE_LETTER)) + rb")"
)
# A level never begins with a quote or follows one.
QUOTED_BEHIND: Final = compile_pattern(rb"[\])}]{0,2}+ {1,4}\"")
LEVEL_BEHIND: Final = lazy_pattern(
    _GAP + rb"(?:" + _TOKEN + rb"){0,6}?(?:" + any_place(Where.BEHIND, Where.OUTSIDE_SYSLOG) + rb")"
)
LEVEL_BEHIND_SYSLOG: Final = lazy_pattern(
    _GAP
    + rb"(?:"
    + any_place(Where.SYSLOG)
    + rb"|(?:"
    + _TOKEN_APART
    + rb"){0,6}?(?:"
    + any_place(Where.BEHIND)
    + rb"))"
)
# web-1  | {…
_COMPOSED: Final = rb"[\w.-]{1,64}+ {1,20}\| {0,4}"
COMPOSED_JSON: Final = compile_pattern(_COMPOSED + rb"(?=\{)")
# error: hot {…
_WORD_OF_MESSAGE: Final = (
    rb"(?:error|warn|warning|info|http|verbose|debug|silly|notice|crit|alert|emerg): "
)
JSON_BEHIND_MESSAGE: Final = compile_pattern(
    _WORD_OF_MESSAGE.replace(b"(?:", b"(", 1) + rb"[^{\n]{1,400}(?=\{\")"
)
# [pod/web-1/app] {…, web-1 app: {…
JSON_BEHIND_NAME: Final = compile_pattern(
    rb"(?!" + _WORD_OF_MESSAGE + rb")"
    rb"(?:\[[A-Za-z][^\[\]\n]{0,100}\]|(?=[\w.@/-]{0,63}[-./@:_\d])[A-Za-z@][\w./@-]{0,63}:?)"
    rb"(?: [a-z][\w-]{0,40}:?)?[ \t]{1,4}(?=\{\")"
)
# web-1  | , [pod/web-1/app] , web-6d4cf56db6-abcde app: the rest is a separate line.
BEHIND_CONTAINER: Final = compile_pattern(
    _COMPOSED + rb"(?=\S)|\[pod/[\w.-]{1,80}/[\w.-]{1,64}\] (?=\S)"
    rb"|(?=[a-z-]{1,60}\d)[a-z][a-z0-9-]{0,60}-[a-z0-9]{1,12} [a-z][a-z0-9-]{0,62} (?=\S)"
)
REDIS_SIGN: Final = compile_pattern(rb" ([.*#-]) ")
# `key=value` pairs or JSON after the time, a host and a program.
FIELDS_BEHIND: Final = lazy_pattern(
    _GAP + rb"(?:[\w.:-]{1,64} [\w./()-]{1,64}(?:\[[\w.-]{1,12}\])?: ){0,1}(?=[\w.@-]{1,64}=|[{@])"
)
HEADER: Final = lazy_pattern(_GAP + rb"(?:" + _TOKEN + rb"|[\w.-]{1,64}:? {1,4}){0,4}")
# A line without a time may still have a level.
LEVEL_ALONE: Final = lazy_pattern(
    rb"(?:<(?P<priority>\d{1,3})>)?+(?:" + any_place(Where.ALONE) + rb")?"
)
# The same for many lines, in a text with a line end before each line.
LEVELS_ALONE: Final = lazy_pattern(
    rb"\n(?=[^\n]{%d})(?:<(?P<priority>\d{1,3})>)?+(?:" % LEAST_BYTES
    + any_place(Where.ALONE)
    + rb")?(?<!\n)",
    re.MULTILINE,
)
# Every line whose level is a word contains one of these.
LEVEL_WORDS: Final = BytesAhoCorasick(
    [
        *levels.in_each_case(word for word in levels.LEVEL_OF_WORD if not word[-1:].isdigit()),
        *HINTS,
    ],
    matchkind=MatchKind.LeftmostFirst,
    implementation=Implementation.ContiguousNFA,
)
