"""Where programs write the level of a line: a table, each place with an example.

A pattern holds one `LEVEL` for the word or letter. It is looked for where the line begins, in front
of the time (`BEFORE`); behind the time (`AT_ONCE`), or there with a few tokens such as a thread or
a logger between (`BEHIND`); behind the time of syslog, which passes on what may be prose
(`SYSLOG`); or in lines that have no time (`ALONE`). Adding a format whose level is elsewhere is
adding a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from bot.logs import levels, spellings
from bot.logs.levels import (
    ABROAD_CAPITALS,
    ANY_CASE,
    CAPITALS,
    CAREFUL_ANY_CASE,
    CAREFUL_CAPITALS,
    COLUMN_CASE,
    SOME_CASE,
)
from bot.logs.place_words import (
    BIND_CATEGORIES,
    LOG_LEVELS,
    NO_NAME,
    NO_NAME_OF_SETTING,
    NO_PROSE,
)

LevelOf = Callable[[bytes], str | None]


class Where(Enum):
    """In front of the time, behind it, or without one."""

    BEFORE = "before"
    AT_ONCE_LETTER = "at once, a letter"
    AT_ONCE_LOWER = "at once, in lower case"
    AT_ONCE = "at once"
    BEHIND = "behind"
    OUTSIDE_SYSLOG = "outside syslog"
    SYSLOG = "syslog"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a level. `level_of` returns the level for the text that `LEVEL` matched."""

    name: str
    where: Where
    pattern: bytes
    level_of: LevelOf
    example: bytes
    means: str


def _letters(letters: Mapping[bytes, str]) -> LevelOf:
    return letters.get


_LETTER: Final = rb"(?P<LEVEL>[IWEFDCTNVA])"
_LOGCAT: Final = rb"(?P<LEVEL>[VDIWEFAS])"
_TAG: Final = rb"/[\w.$: -]{1,64}\( {0,5}\d{1,7}\):"
_word = levels.level_of_word
_field = levels.level_of_field
_letter = _letters(levels.LEVEL_OF_LETTER)
_severity = levels.level_of_severity
_LOWER_CASE: Final = rb"trace|debug[1-5]?|info|notice|warn|warning|error|err|crit|critical|fatal"
_UPPER_CASE: Final = rb"TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL"
_CAPITALISED: Final = rb"Trace|Debug|Info|Warn|Warning|Error|Critical|Fatal"


def _places(where: Where, *rows: tuple[str, bytes, LevelOf, bytes, str]) -> tuple[Place, ...]:
    return tuple(Place(name, where, *row) for name, *row in rows)  # type: ignore[arg-type]


def _level(pattern: bytes) -> bytes:
    return rb"(?P<LEVEL>" + pattern + rb")"


# The beginning of a time after a level, in any notation.
_TIME_AHEAD: Final = rb"(?=[\[(\"']?(?:\d{1,4}[-/.: ][\dA-Z]|\d{8}|[A-Z][a-z]{2}[ ,]))"
_LETTER_AHEAD: Final = rb"(?=[\[(]?(?:\d{1,4}[-/.: ][\dA-Z]|\d{8}|[A-Z][a-z]{2}[ ,] ?\d))"
# A letter before a number names what was measured: `T: 21.5`.
_NO_NUMBER: Final = rb"(?![+-]?\d)"
# The beginning of a message before which a letter is a level rather than an initial or a unit.
_FAILS: Final = (
    rb"(?:Could not|Couldn't|Cannot|Can't|Did not|Does not|Failed|Failure|Unable|Unexpected|Invalid|"
    rb"Missing|Error|Exception|Timed out|Timeout)"
)


PLACES: Final = (
    # What may come between such a level and the time (a thread, `jvm 1`) is part of every pattern
    # of a line's beginning.
    *_places(Where.BEFORE,
        ("box_first", rb"\[ ?" + _level(ANY_CASE) + rb" {0,8}\]", _word, b"[INFO] [11/21/2026 10:00:00.123] [main] [akka] oven on", "info"),
        ("box_of_parts_first", rb"\[" + _level(CAPITALS) + rb"[|:][\w.:|/-]{1,60}\]:?", _word, b"[WARNING|oven.py:12] 2026-11-21 10:00:00,123 >> hot", "warn"),
        ("column_before", rb"(?:\"?[\w.$@:/#-]{0,60}\"?[,;]){0,4}\"?" + _level(COLUMN_CASE) + rb"\"?[,;](?:\"?[\w.$@:/#-]{0,60}\"?[,;]){0,3}?\"?", _word, b"kitchen,12,ERROR,2026-11-21 10:00:00,hot", "error"),
        ("relayed_letter", rb"INFO {1,4}\| jvm \d {1,6}\| (?=\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \| (?P<LEVEL>[TDIWE]) \[)", _letter, b"INFO   | jvm 1    | 2026/11/21 10:00:00 | W [o.e.Oven ] [10:00:00]: hot", "warn"),
        ("eclipse", rb"!ENTRY [\w.]{1,100} (?P<LEVEL>[0-4]) \d{1,8} (?=\d{4}-)", spellings.ECLIPSE.get, b"!ENTRY org.example.oven 4 2 2026-11-21 10:00:00.123", "error"),
        ("glib", rb"(?:\*\* )?\([^()\n:]{1,60}:\d{1,10}\): (?:[\w.+-]{1,60}-)?" + _level(rb"ERROR|CRITICAL|WARNING|Message|INFO|DEBUG") + rb"(?: \*\*)?: {1,4}", spellings.GLIB.get, b"(oven:12): Gtk-CRITICAL **: 10:00:00.123: hot", "critical"),
        ("glib_alone", rb"\*\* " + _level(rb"ERROR|CRITICAL|WARNING|Message|INFO|DEBUG") + rb": {1,4}(?=\d\d:)", spellings.GLIB.get, b"** Message: 10:00:00.123: on", "info"),
        ("box_before_clock", rb"\[ {0,2}" + _level(CAPITALS) + rb" {1,4}(?=\d\d:\d\d:\d\d\] )", _word, b"[ERROR 10:00:00] oven.lua:12: hot", "error"),
        ("word_first", _level(CAPITALS) + rb"(?=[\s:,;|\[(\]])", _word, b"WARN  [main] 2026-11-21 10:00:00,123 Oven.java:12 - hot", "warn"),
        ("column_first", rb"\"?" + _level(ANY_CASE) + rb"\"?[,\t;] {0,4}", _word, b"Information,11/21/2026 10:00:00 AM,Oven,1,None", "info"),
        ("box_before_time", rb"\[ {0,2}" + _level(CAPITALS + rb"|" + _LOWER_CASE) + rb" {1,2}(?=\d{4}[-/]\d\d[-/])", _word, b"[DEBUG 2026-11-21 10:00:00 main] oven on", "debug"),
        ("lower_before_date", _level(_LOWER_CASE + rb"|" + _CAPITALISED) + rb"(?:(?::| -|,|;| ?\|)? {1,4}|[|;,\t])" + _TIME_AHEAD, _word, b"error 2026-11-21T10:00:00.123Z oven hot", "error"),
        ("letter_in_parentheses", rb"\((?P<LEVEL>[NIWC])\) (?=\d{4}-)", _letter, b"(W) 2026-11-21T10:00:00 - oven hot", "warn"),
        ("box_and_word", rb"\[[^\]\n]{1,60}\] " + _level(_LOWER_CASE) + rb" @(?=\d{4}-)", _word, b"[Oven:12] error @2026-11-21 10:00:00> hot", "error"),
        ("gvmd", rb"[a-z]{1,12} {1,4}[a-z]{1,12}: {0,4}" + _level(CAPITALS + rb"|MESSAGE") + rb":(?=\d{4}-)", {**levels.LEVEL_OF_WORD_IN_CAPITALS, b"MESSAGE": "info"}.get, b"md   main:WARNING:2026-11-21 10h00.00 utc:12: hot", "warn"),
        ("starred", rb"\*" + _level(CAPITALS) + rb"\* {0,2}\t[\w.]{1,20}\t", _word, b"*ERROR* \tv1.7.8.0\t2026/11/21 - 10:00:00: hot", "error"),
        ("other_box_first", rb"(?:[(<{*] ?(?=[^\n]{1,20}[)>}*][:,;|]? {0,4}" + _TIME_AHEAD + rb"))" + _level(CAPITALS + rb"|" + _LOWER_CASE + rb"|" + _CAPITALISED) + rb" {0,8}[)>}*]", _word, b"<WARN> 2026-11-21 10:00:00 hot", "warn"),
        ("name_and_word", rb"(?:\[[^\[\]\n]{1,60}\]|[A-Za-z][\w.-]{0,63}):? {1,4}\[?" + _level(CAPITALS) + rb"\]?:? {1,4}(?::: )?(?=\[?\d{4}[-/]\d\d[-/])", _word, b"oven: WARN: 2026-11-21 10:00:00 hot", "warn"),
        ("letter_and_date", rb"(?P<LEVEL>[IWEFDTVCM])(?:/[A-Za-z][\w.-]{0,40})?(?: -)? {1,2}" + _LETTER_AHEAD, _letter, b"E 2026-11-21 10:00:00.123 oven.cpp:12 hot", "error"),
        ("letter_and_sign", rb"[\[(<]?(?P<LEVEL>[IWEFDTVC])[\])>:,/|;\t][ ,]{0,2}" + _LETTER_AHEAD, _letter, b"E, 2026-11-21 10:00:00, hot", "error"),
        ("second_box", rb"\[[^\[\]\n]{1,60}\] ?\[ ?" + _level(ANY_CASE) + rb" {0,8}\]", _word, b"[1:ml1] [ERR] [VID] [Nov 21 10:00:00] oven: hot", "error"),
        ("parted_box", rb"\[[\w.-]{1,64}:[\w.-]{1,64}:" + _level(ANY_CASE) + rb"(?::\d{1,6})?\]", _word, b"[kitchen:oven.node:Error:5] [2026-11-21 10:00:00.12 UTC] hot", "error"),
        ("angled_letter", rb"<(?P<LEVEL>[WFCXD])>(?=\d{4}-)", spellings.MUMBLE.get, b"<W>2026-11-21 10:00:00.123 hot", "warn"),
        ("quoted_column", rb"\"" + _level(CAPITALS) + rb"\"\t\d{1,10}\t", _word, b'"ERROR"\t12\t"2026-11-21 10:00:00.123"\t"hot"', "error"),
        ("named_before", rb"[A-Z][A-Za-z]{1,20} (?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (?P<LEVEL>[A-Z]{4,7}): \[)", _word, b"Jicofo 2026-11-21 10:00:00.123 SEVERE: [12] hot", "error"),
        ("trace_source", rb"[\w.]{1,64} (?P<LEVEL>Critical|Error|Warning|Information|Verbose): \d{1,10} : (?=\d{4}-)", _word, b"Kitchen.Oven Error: 0 : 2026-11-21T10:00:00.1234567Z hot", "error"),
        ("global_protect", rb"\(P\d{1,8}-T\d{1,8}\)(?P<LEVEL>Debug|Error|Info|Warning)\( {0,5}\d{1,5}\): ", _word, b"(P12-T34)Error(  56): 11/21/26 10:00:00:123 hot", "error"),
        ("erlang_report", rb"=" + _level(CAPITALS) + rb" REPORT==== ", _word, b"=ERROR REPORT==== 21-Nov-2026::10:00:00 ===", "error"),
        ("couchbase", rb"\[[\w-]{1,40}:" + _level(ANY_CASE) + rb",", _word, b"[ns_server:info,2026-11-21T10:00:00.123Z,n_0@cb.local:x:y:1]oven on", "info"),
        ("double_colons", rb"[\w-]{1,64}::" + _level(CAPITALS) + rb"::", _word, b"MainThread::ERROR::2026-11-21 10:00:00,300::oven::74::hot", "error"),
        ("name_first", rb"[\w.]{1,64} - " + _level(CAPITALS) + rb" - ", _word, b"oven - WARNING - 2026-11-21 10:00:00,123 - hot", "warn"),
        ("prefix_first", rb"[\w-]{1,40}:(?P<LEVEL>debug|info|warning|warn|error) {1,4}", _word, b"Zigbee2MQTT:info  2026-11-21 10:00:00: on", "info"),
        ("logrus_first", rb"(?P<LEVEL>" + b"|".join(spellings.LOGRUS) + rb")(?=\[| {1,2}\d{4}-\d\d-)", spellings.LOGRUS.get, b"ERRO[2026-11-21T10:00:00Z] hot", "error"),
        ("rails_letter", _LETTER + rb"(?:(?:, ?| )(?=\[\d)|(?=\[\d{4}-\d\d-\d\d\|))", _letter, b"I, [2026-11-21T10:00:00.123456 #1]  INFO -- : oven on", "info"),
        ("tornado_letter", rb"\[ ?" + _LETTER + rb" (?=\d)", _letter, b"[W 261121 10:00:00 web:1971] 404 GET /oven", "warn"),
        ("klog_letter", rb"\[?(?P<LEVEL>[IWEFC])(?=\d)", _letter, b"E1121 10:00:00.123456    1 oven.go:42] too hot", "error"),
        ("klog_trace", rb"(?P<LEVEL>[TD])(?=\d{4} \d\d:\d\d:\d\d\.)", _letter, b"T1121 10:00:00.123456     DICOM Oven.cpp:12] on", "trace"),
        ("careful_first", _level(CAREFUL_CAPITALS) + rb"(?=: \d{4}-\d\d-\d\d )", _word, b"FINE: 2026-11-21 10:00:00.123456: on", "debug"),
        ("chronicles", rb"(?P<LEVEL>NOT)(?= \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d)", {b"NOT": "info"}.get, b'NOT 2026-11-21 10:00:00.123+01:00 on topics="oven"', "info"),
        ("talos", rb"(?:kern|user|daemon|syslog|auth|local\d): {1,8}(?P<LEVEL>emerg|alert|crit|err|warning|notice|info|debug): (?=\[\d{4}-)", _word, b"user: warning: [2026-11-21T10:00:00.123456789Z]: hot", "warn"),
        ("letter_and_dot", rb"(?P<LEVEL>[EWIDN])\. (?=\d\d/\d\d \d\d:|\d{4}-\d\d-\d\d \d\d:)", _letter, b"E. 11/21 10:00:00. hot", "error"),
    ),
    *_places(Where.AT_ONCE_LETTER,
        ("logcat", rb"(?:[\w-]{1,16}+ {1,6}+)?\d{1,7} {1,8}\d{1,7} " + _LOGCAT + rb" (?=\S)", _letter, b"11-21 10:00:00.123  1702  2395 D Oven: on", "debug"),
        ("logcat_brief", _LOGCAT + _TAG, _letter, b"11-21 10:00:00.123 E/Oven( 1702): too hot", "error"),
        ("mongodb_letter", rb"(?P<LEVEL>[FEWID])\d? {1,4}(?:[A-Z_]{2,12}|-) {1,12}\[", _letter, b"2026-11-21T10:00:00.123+0000 I NETWORK  [conn1] end", "info"),
        ("logcat_long", rb"\d{1,7}: {0,6}(?:\d{1,7}|0x[0-9a-f]{1,8}) " + _LOGCAT + rb"/", _letter, b"[ 11-21 10:00:00.123  1702: 2395 W/Oven ]", "warn"),
        ("logcat_studio", rb"\d{1,7}-\d{1,7}(?:/[\w.?]{1,100} |(?: {1,40}+[^ \n]{1,100}+){2} {1,40}+)" + _LOGCAT + rb"(?=/|  )", _letter, b"2026-11-21 10:00:00.123 12-12/org.example E/Oven: hot", "error"),
        ("tensorflow_letter", rb"(?P<LEVEL>[IWEF]) (?=[\w./-]{1,120}:\d{1,6}\])", _letter, b"2026-11-21 10:00:00.123456: W oven/hot.cc:64] hot", "warn"),
        ("ray_letter", rb"(?P<LEVEL>[IWEFCD]) \d{1,7} \d{1,7}\] ", _letter, b"[2026-11-21 10:00:00,123 E 12 34] (raylet) oven.cc:30: hot", "error"),
        ("before_box", rb"(?P<LEVEL>[TDINWEC]) {1,2}(?=\[(?:[A-Za-z]|\d{1,10}[:/\]]))", _letter, b"[2026-11-21 10:00:00.123456] W [oven.c:12:start] 0-oven: hot", "warn"),
        ("letter_alone", rb"(?P<LEVEL>[EWF]) (?=" + _FAILS + rb"\b)", _letter, b"2026-11-21 10:00:00 E Could not open", "error"),
        ("letter_and_dash", rb"(?P<LEVEL>[EWDIF]) - " + _NO_NUMBER, _letter, b"2026-11-21 10:00:00 - E - hot", "error"),
        ("letter_in_box_of_time", rb"(?P<LEVEL>[EWDIF])\](?= )", _letter, b"[2026-11-21 10:00:00 E] hot", "error"),
        ("letter_behind_boxes", rb"(?=\[[^\[\]\n]{1,60}\] [\[EWDIF])(?:(?!\[ ?" + ANY_CASE + rb"[ \]])\[[^\[\]\n]{1,60}\] ){1,3}(?P<LEVEL>[EWDIF]): (?=\S)" + _NO_NUMBER, _letter, b"2026-11-21 10:00:00 [oven] [12] E: hot", "error"),
        ("mythtv_version", rb"(?P<LEVEL>C)  (?=myth[a-z]{2,20} version: )", _letter, b"2026-11-21 10:00:00.123456 C  mythbackend version: 1", "critical"),
        ("fhem", rb"(?=[0-5]: )(?:(?<=\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d )|(?<=\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d\.\d{3} ))(?P<LEVEL>[0-5]): (?=(?:[A-Za-z][\w.]{1,40}|PERL WARNING): )", spellings.FHEM.get, b"2026.11.21 10:00:00 1: oven: hot", "error"),
        ("iris", rb"(?=\(\d)(?<=\d\d/\d\d/\d\d-\d\d:\d\d:\d\d:\d{3} )\(\d{1,10}\) (?P<LEVEL>[0-3]) ", spellings.IRIS.get, b"11/21/26-10:00:00:123 (1234) 2 [Generic.Event] hot", "error"),
        ("openedge", rb"P-\d{3,10} {1,8}T-\w{3,12} {1,8}(?P<LEVEL>[FEWIDT]) ", _letter, b"[26/11/21@10:00:00.123+0100] P-001234     T-01234     F SRV     1: (49)   hot", "fatal"),
        ("capnslog", rb"(?P<LEVEL>[TDINWEC]) \| ", _letter, b"2026-11-21 10:00:00.123456 W | rafthttp: hot", "warn"),
        ("unified_compact", rb"(?P<LEVEL>E|F|I|Db|Df) {1,2}(?=[\w.-]{1,64}\[\d{1,7}:[0-9a-f]{1,12}\])", spellings.UNIFIED.get, b"2026-11-21 10:00:00.123 E  oven[12:1a2b] [org.example:oven] hot", "error"),
        ("unified", rb"\dx[0-9a-f]{1,12} {1,12}(?P<LEVEL>Default) {1,12}\dx", _field, b"2026-11-21 10:00:00.123456+0100 0x1a2b     Default     0x0   12  0  oven: on", "info"),
        ("websphere", rb"[0-9a-f]{8} [\w.$]{1,64} {1,14}(?P<LEVEL>[FEWAICODR1-3<>]) ", spellings.WEBSPHERE.get, b"[11/21/26 10:00:00:123 UTC] 0000000a Oven          W   OVEN0001W: hot", "warn"),
        ("questdb_letter", rb"(?P<LEVEL>[IEDCA]) (?=(?:[a-z]\.){1,8}[A-Z]\w|server-main )", spellings.QUESTDB.get, b"2026-11-21T10:00:00.123456Z E i.q.c.Oven hot", "error"),
        ("hana_letter", rb"(?P<LEVEL>[iewfd]) (?=[A-Z]\w{1,20} {1,20}[\w.]{1,60}\(\d{1,6}\) : )", levels.level_of_field, b"[12]{-1}[-1/-1] 2026-11-21 10:00:00.123456 e Basis    Oven.cpp(00012) : hot", "error"),
        ("box_letter_second", rb"(?=\[[^\[\]\n]{1,60}\] ?\[)(?:(?!\[ ?" + ANY_CASE + rb"[ \]])\[[^\[\]\n]{1,60}\] ?){1,2}\[" + _LETTER + rb"\](?!\w)", _letter, b"[2026-11-21T10:00:00.123Z][com.example.oven][E] hot", "error"),
        ("vmware_letter", rb"[\w-]{1,32}+\| (?P<LEVEL>[IWED])\d{2,3}[:+]", _letter, b"2026-11-21T10:00:00.123Z| vmx| W115: hot", "warn"),
        ("grid_engine", rb" {0,8}+[\w-]{1,30}+\|[\w.-]{1,64}+\|(?P<LEVEL>[CEWIND])\|", _letter, b"11/21/2026 10:00:00|worker|qmaster|E|hot", "error"),
        ("acronis", rb"\d{1,10} (?P<LEVEL>[IWE])[0-9A-F]{8}: ", _letter, b"2026-11-21T10:00:00:914+02:00 8568 E00000000: hot", "error"),
        ("tabbed_letter", rb"\d{1,10}\t\((?P<LEVEL>[iwesd])\)\d{4,8}\t", _field, b"2026-11-21\t10:00:00\t12\t(w)2611179\thot\t-", "warn"),
        ("autosys", rb"[A-Z]{4,8}_(?P<LEVEL>[IWE])_\d{3,6} ", _letter, b"[11/21/2026 10:00:00]      CAUAJM_E_18416 hot", "error"),
        ("ibm_message", rb"[A-Z]{3,5}\d{4,5}(?P<LEVEL>[IWE]): ", _letter, b"2026-11-21 10:00:00.123456: BIP2616W: hot", "warn"),
        ("tarantool", rb"(?=[\w./[-])(?:\[\d{1,10}\] )?[\w./-]{1,64}+ (?:[\w./-]{1,64}:\d{1,6} )?(?P<LEVEL>[IWECFD])> ", _letter, b"2026-11-21 10:00:00.123 [12] main/103/oven.lua E> hot", "error"),
        ("foreman_letter", rb"\[(?P<LEVEL>[IWEFD])\|[\w-]{1,16}\|", _letter, b"2026-11-21T10:00:00 [W|app|1a2b3c4d] hot", "warn"),
        ("metasploit", rb"\[(?P<LEVEL>[ewid])\(\d\)\] ", _field, b"[11/21/2026 10:00:00] [e(0)] core: hot", "error"),
        ("netbackup", rb"\[\d{1,10}(?:\.\d{1,10})?\] <(?P<LEVEL>2|4|8|16|32)> ", spellings.NETBACKUP.get, b"10:00:00.123 [1234.5678] <16> bpbrm main: hot", "error"),
        ("storage_protect", rb"(?:ANR|ANS|ANE)\d{4}(?P<LEVEL>[IWES])(?= )", _letter, b"11/21/2026 10:00:00      ANR2034E QUERY OVEN: hot", "error"),
        ("sql_agent", rb"(?P<LEVEL>[!+?]) (?=\[\d{3}\] )", spellings.SQL_AGENT.get, b"2026-11-21 10:00:00 - ! [298] SQLServer Error: hot", "error"),
        ("checkmk", rb"\[(?P<LEVEL>[1-5]0)\] (?=\[cmk)", spellings.PYTHON_TENS.get, b"2026-11-21 10:00:00,123 [40] [cmk.base.oven] hot", "error"),
        ("letter_and_file", rb"(?P<LEVEL>[IWEFDTVC]) {1,2}(?=[\w./-]{1,80}\.[a-z]{1,4}[:(]\d)", _letter, b"2026-11-21 10:00:00.123456 E oven.cpp:12 hot", "error"),
        ("letter_and_tag", rb"(?P<LEVEL>[VDIWEF])/(?=[\w.$-]{1,40}: )", _letter, b"2026-11-21 10:00:00 E/Oven: hot", "error"),
        ("letter_and_program", rb"(?<=\] )(?P<LEVEL>[IWEDF]) (?=[a-z][\w.-]{1,40}: )", _letter, b"[2026-11-21T10:00:00.123Z] I santad: action=EXEC", "info"),
        ("letter_and_colon", rb"(?P<LEVEL>[IWEFDTV]): (?=\S)" + _NO_NUMBER, _letter, b"2026-11-21 10:00:00 E: hot", "error"),
        ("letter_in_brackets", rb"[(<](?P<LEVEL>[WEFDTV]|[IC](?=[)>] [\w.-]{1,40}: ))[)>](?= )(?! [+-]?\d)", _letter, b"2026-11-21 10:00:00 (W) oven: hot", "warn"),
        ("stunnel", rb"LOG(?P<LEVEL>[0-7])(?=\[[\w:]{1,24}\]: )", _severity, b"2026.11.21 10:00:00 LOG3[12]: hot", "error"),
        ("telegraf_letter", rb"(?P<LEVEL>[IWED])! ", _letter, b"2026-11-21T10:00:00Z W! [agent] oven slow", "warn"),
        ("box_letter", rb"\[" + _LETTER + rb"\]", _letter, b"2026-11-21 10:00:00.123 [E] too hot", "error"),
        ("pipe_letter", rb"\|?" + _LETTER + rb"\|", _letter, b"2026-11-21 10:00:00.123|W|oven|slow", "warn"),
    ),
    *_places(Where.AT_ONCE,
        ("double_colons_behind", rb":" + _level(CAPITALS) + rb"::", _word, b"2026-11-21 10:00:00,123::WARNING::[oven:12] hot", "warn"),
        ("workflow_command", rb"##\[(?P<LEVEL>error|warning|debug)\]", _word, b"2026-11-21T10:00:00.1234567Z ##[error]hot", "error"),
        ("kodi", rb"T:\d{1,12} {1,9}" + _level(_LOWER_CASE) + rb"(?= <)", _word, b"2026-11-21 10:00:00.123 T:12   error <general>: hot", "error"),
        ("core_lightning", rb"(?P<LEVEL>UNUSUAL|\*\*BROKEN\*\*)(?= )", spellings.CORE_LIGHTNING.get, b"2026-11-21T10:00:00.123Z UNUSUAL lightningd: hot", "warn"),
        ("robot_framework", rb"(?P<LEVEL>FAIL)(?= : )", {b"FAIL": "error"}.get, b"20261121 10:00:00.123 : FAIL : hot", "error"),
        ("success", rb"(?P<LEVEL>SUCCESS)(?= {2,12}\S)", {b"SUCCESS": "info"}.get, b"2026-11-21T10:00:00     SUCCESS    Oven on", "info"),
        ("glib_box", rb"\[ {1,3}(?P<LEVEL>message)\](?= \[)", {b"message": "info"}.get, b"[2026-11-21T10:00:00.123Z] [ message] [vmsvc] on", "info"),
        ("abroad", _level(ABROAD_CAPITALS) + rb"(?= )", _word, "24.11.2026 09:41:02 FEHLER zu heiß".encode(), "error"),
        ("slashed_lower", rb"(?<=\] )(?P<LEVEL>trace|debug|info|warn|error|fatal)/(?=[a-z]{1,20}[\t ])", _word, b"[2026-11-21 10:00:00.123 (UTC+0000)] warn/userland\thot", "warn"),
        ("slashed", _level(rb"debug|information|notice|warning|critical") + rb"/(?=[A-Z]\w{1,60}:)", _word, b"[2026-11-21 10:00:00 +0000] warning/ApiListener: hot", "warn"),
        ("windows_path", _level(_LOWER_CASE) + rb":(?=(?:[A-Za-z]:|\.\.?)[\\/])", _word, b"2026-11-21 10:00:00: error:c:\\source\\oven.cpp:12: hot", "error"),
        ("column", rb"(?<=[,;])(?:(?>\"[^\"\n]{0,80}\"|[\w.$@:/#()\[\]{}<>=+*%|-]{0,100}|[A-Za-z]\w{0,30} \w{1,30})[,;]){0,8}?\"?" + _level(COLUMN_CASE) + rb"\"?(?=[,;\])]|$)", _word, b"2026-11-21 10:00:00.123,main,WARN,org.example.Oven,hot", "warn"),
        ("spaced_column", rb"(?<=, )(?:[\w.$@:/#()\[\]=-]{1,100}, ){1,6}?" + _level(CAPITALS) + rb"(?=, )", _word, b"10:00:00,123, kitchen.example, audit.Oven, INFO, 12, on", "info"),
        ("two_words_box", rb"\[(?:Server|Client) " + _level(_CAPITALISED) + rb"\]", _word, b"21.11.2026 10:00:00 [Server Error] hot", "error"),
        ("frr", rb"(?P<LEVEL>" + b"|".join(spellings.FRR) + rb"): (?=(?:" + b"|".join(spellings.FRR_DAEMONS) + rb"): )", spellings.FRR.get, b"2026/11/21 10:00:00.123 warnings: BGP: hot", "warn"),
        ("sharepoint", rb"\*?\t?[\w.]{1,60} \(\dx[0-9A-F]{4,8}\) {0,60}\t\dx[0-9A-F]{4,8}\t(?:[^\t\n]{0,60}\t){3}(?P<LEVEL>" + b"|".join(spellings.SHAREPOINT) + rb") {0,12}\t", spellings.SHAREPOINT.get, b"11/21/2026 10:00:00.12 \tw3wp.exe (0x0A1B) \t0x0C2D\tOven\tGeneral\tab12\tUnexpected\thot", "error"),
        ("whole_message", _level(SOME_CASE) + rb"$", _word, b"2026-11-21T10:00:00Z Trace", "trace"),
    ),
    # A word directly after the time, unless the next word makes it prose.
    *_places(Where.AT_ONCE_LOWER,
        ("lower_case", _level(_LOWER_CASE) + NO_PROSE, _word, b"2026-11-21 10:00:00 error could not open", "error"),
    ),
    *_places(Where.BEHIND,
        ("components", rb"[A-Z][A-Z-]{1,20} \| " + _level(CAPITALS) + rb"(?= \|)", _word, b"2026-11-21 10:00:00 UTC | TRACE | ERROR | (oven.go:12) | hot", "error"),
        ("middle_of_box", rb"\[[\w.-]{1,40} " + _level(CAPITALS) + rb"(?= [\w.-]{1,40}\])", _word, b"2026-11-21T10:00:00.123+0000 7f0a1b2c3d4e  0 [dashboard DEBUG root] hot", "debug"),
        ("log_name", rb"(?:[\w-]{1,32}\|){1,3}LOG_(?P<LEVEL>" + b"|".join(LOG_LEVELS) + rb")(?=\|)", _word, b"2026-11-21T10:00:00.123456+00:00 sw1 intfd[12]: Event|404|LOG_WARN|AMM|-|down", "warn"),
        ("topics_of_host", rb"[\w.-]{1,64} (?:[a-z0-9-]{1,20},){1,3}?(?P<LEVEL>info|warning|error|critical|debug)(?=[, ])", _word, b"2026-11-21T10:00:00.123+01:00 gw system,error,critical login failure", "error"),
        ("unclosed_thread", rb"\[[\w.-]{1,60} \[\] " + _level(CAPITALS) + rb"(?= )", _word, b"2026-11-21T10:00:00.123Z [tomcat-exec-25 [] INFO org.example.Oven opId=] on", "info"),
        ("signale", rb"(?:\[[\w.-]{1,40} {0,16}\] )?\xe2\x80\xba [^\n\w]{1,12}(?P<LEVEL>debug|error|fatal|info|note|warn)(?= )", _word, "[10:00:00] [kitchen] › ✖  error     hot".encode(), "error"),
        ("go_klog", rb"(?P<LEVEL>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d{1,9} {1,8}\d{1,8} (?=[\w./+-]{1,80}\.(?:go|cc|cpp):)", _letter, b"Nov 21 10:00:00 kitchen kubelet[12]: E1121 10:00:00.123456      12 oven.go:190] hot", "error"),
        ("go_letter", rb"[\w./-]{1,80}\.go:\d{1,6}(?::[\w.()*]{1,80})? \[(?P<LEVEL>[TDIWECF])\]", _letter, b"2026/11/21 10:00:00 cmd/web.go:242:run() [E] hot", "error"),
        ("oracle_box", rb"\[(?P<LEVEL>NOTIFICATION|INCIDENT_ERROR|ERROR|WARNING|TRACE)(?::\d{1,2})?\](?= \[)", spellings.ORACLE.get, b"[2026-11-21T10:00:00.123+01:00] [AdminServer] [NOTIFICATION] [OVEN-1] on", "info"),
        # A word such as `config` before another level is a name.
        ("box", rb"(?!\[ ?(?:" + CAREFUL_ANY_CASE + rb") ?\] ?(?:\[ {0,4}(?:" + ANY_CASE + rb") {0,12}\]|<\d>))[\[<({|] {0,4}" + _level(ANY_CASE) + rb" {0,12}[\]>)}|]", _word, b"2026-11-21 10:00:00 [main] [warning ] oven", "warn"),
        ("box_with_source", rb"\[" + _level(ANY_CASE) + rb"#[\w.-]{1,40}\]", _word, b"21/Nov/2026:10:00:00 +0000 [Info#SQL] on", "info"),
        ("module_box", rb"\[[\w.-]{0,64}[:#]" + _level(ANY_CASE) + rb"\]", _word, b"[Sat Nov 21 10:00:00.123456 2026] [core:notice] [pid 1] on", "info"),
        ("named_in_box", rb"\[ " + _level(_LOWER_CASE) + rb" {1,4}[\w-]{1,40}(?:\.[\w-]{1,40}){1,8}[ \]]", _word, b"2026-11-21 10:00:00:123 [ warning oven.sync oven.cpp:12 ]:\thot", "warn"),
        ("log_macro", rb"[\w./-]{1,60}:\d{1,6} {1,24}LOG_(?P<LEVEL>" + b"|".join((*LOG_LEVELS, b"ERROR", b"CRITICAL")) + rb")(?= )", _word, b"10:00:00.123456789 [12] oven.cpp:12      LOG_ERROR     root     hot", "error"),
        ("relayed_priority", rb"(?:[\w.:-]{1,64} )?(?:- ){0,4}<(?P<LEVEL>\d{1,3})>(?=(?:[A-Z][a-z]{2} [ \d]\d|\d \d{4}-\d\d-\d\dT\d\d:))", _severity, b"Nov 21 10:00:05 relay <11>Nov 21 10:00:00 kitchen oven[1]: hot", "error"),
        ("sql_error_code", rb"sql_error_code = [0-9A-Z]{5} (?P<LEVEL>LOG|" + CAPITALS + rb"):", _field, b"2026-11-21T10:00:00+00:00 app[postgres.1]: [DATABASE] [12-1]  sql_error_code = 42P01 ERROR:  hot", "error"),
        ("module_and_parentheses", rb"[A-Z][A-Z_]{2,24} \(" + _level(_LOWER_CASE) + rb"\)(?= )", _word, b"2026-11-21 10:00:00.123456 +0000 SERVER (error) hot", "error"),
        ("between_signs_of_any_case", rb"(?:::?|--?|[|>*]) ?" + _level(SOME_CASE) + rb" ?(?:::|--|[|>*])(?=[ \w]|$)", _word, b"2026-11-21 10:00:00 :: Error :: hot", "error"),
        ("before_file", rb"(?:[A-Za-z]\w{1,30} p\d{1,8} t\d{1,8} )?" + _level(_LOWER_CASE) + rb"(?= [\w./-]{1,80}\.[a-z]{1,4}:\d)", _word, b"2026/11/21 10:00:00.123 oven p12 t34 error oven.cpp:12 hot", "error"),
        ("box_channel", rb"\[[\w-]{1,64}\." + _level(CAPITALS) + rb"\]", _word, b"[2026-11-21 10:00:00] [oven.ERROR]: hot", "error"),
        ("channel", rb"[\w-]{1,64}\." + _level(CAPITALS + rb"|" + CAREFUL_CAPITALS) + rb"(?=[:\s])", _word, b"[2026-11-21 10:00:00] production.ERROR: too hot", "error"),
        ("capitals", _level(CAPITALS) + rb"(?=[\s:|,;!/\]()\[>]|-\d?(?= )|$)", _word, b"2026-11-21 10:00:00,123 - oven - ERROR - too hot", "error"),
        ("careful_capitals", _level(CAREFUL_CAPITALS) + rb"(?=[:|\]]| [:|]|  |\t| \[)", _word, b"2026-11-21 10:00:00 FINE: oven", "debug"),
        ("bgl", rb"(?:RAS|NULL) [A-Z_]{1,16} " + _level(CAPITALS + rb"|" + CAREFUL_CAPITALS) + rb"(?= )", _word, b"- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.675872 R02-M1 RAS KERNEL FATAL x", "fatal"),
        ("key", rb"[\[{(]?(?:[Ll]evel|L[E]VEL|lvl|[Ss]everity|[Ll]og_?[Ll]evel|sev|at)[=:] ?[\"']?" + _level(ANY_CASE) + rb"(?!\w)", _word, b"2026-11-21T10:00:00Z app[web.1]: at=error code=H12", "error"),
        ("php", rb"PHP (?P<LEVEL>Warning|Notice|Fatal|Parse|Deprecated)\b", spellings.PHP.get, b"[21-Nov-2026 10:00:00 UTC] PHP Warning:  oven", "warn"),
        ("thread_box", rb"\[[^\[\]/\n]{1,80}/" + _level(CAPITALS) + rb"\]", _word, b"[10:00:00] [Server thread/WARN]: oven", "warn"),
        ("file_box", rb"[\w.-]{1,64}\[" + _level(CAPITALS) + rb"\]:", _word, b"2026-11-21 10:00:00,123 - util.py[WARNING]: hot", "warn"),
        ("structured_data", rb"(?:[\w.-]{1,64} ){4}\[[\w.-]{1,32}@\d{1,10} [^\]\n]{0,200}?level=\"" + _level(ANY_CASE) + rb"\"", _word, b'2026-11-21T10:00:00Z nsx NSX 12 - [nsx@6876 comp="oven" level="ERROR"] hot', "error"),
        ("postgres_csv", rb"(?<=,)(?:(?>\"(?:[^\"\n]|\"\"){0,80}\"|[^\",\n]{0,64}),){8,18}?\"?(?P<LEVEL>LOG|" + CAPITALS + rb")\"?,\"?[0-9A-Z]{5}\"?,", _field, b'2026-11-21 10:00:00.123 UTC,"ada","kitchen",12,"10.0.0.1:1",5f,1,"SELECT",2026-11-21 09:59:00 UTC,3/1,0,ERROR,42P01,"hot"', "error"),
        ("postgres_rds", rb"[^\s\[\]]{0,120}:\[\d{1,7}\]:(?P<LEVEL>LOG|" + CAPITALS + rb"):", _field, b"2026-11-21 10:00:00 UTC::@:[12]:LOG:  on", "info"),
        ("postgres", rb"(?P<LEVEL>LOG)(?=:| [CS]-\dx| \[[A-Z])", _field, b"2026-11-21 10:00:00.123 UTC [1] LOG:  ready", "info"),
        ("cisco", rb"(?:[\w.-]{1,64} (?:: )?)?%[A-Z][A-Z0-9_]{1,40}-(?:[A-Z0-9_]{1,40}-)?(?P<LEVEL>[0-7])-[A-Za-z0-9_]{1,64} ?:", _severity, b"Nov 21 10:00:00.123: %LINK-3-UPDOWN: down", "error"),
        ("sssd", rb"\((?P<LEVEL>0x(?:00[1248]|0[124]0|[1248]00)0)\): ", levels.LEVEL_OF_SSSD.get, b"(2026-11-21  8:00:00): [be[oven]] [add_user] (0x0040): hot", "error"),
        ("pgbackrest", rb"P\d\d (?P<LEVEL>DETAIL)(?=:)", {b"DETAIL": "info"}.get, b"2026-11-21 10:00:00.123 P00 DETAIL: oven on", "info"),
        ("huawei", rb"(?:[\w.-]{1,64} )?(?:%%\d\d)?[A-Z][A-Z0-9_]{1,20}/(?P<LEVEL>[0-7])/[A-Z][A-Z0-9_]{1,60}(?=[(:])", _severity, b"Nov 21 2026 10:00:00 sw1 %%01IFNET/4/LINK_STATE(l)[0]:down", "warn"),
        ("aruba", rb"<\d{6}> <(?P<LEVEL>" + b"|".join(spellings.ARUBA) + rb")> ", spellings.ARUBA.get, b"Nov 21 10:00:00 2026 sw1 stm[12]: <304001> <ERRS> |stm|  hot", "error"),
        ("extreme", rb"<(?P<LEVEL>" + b"|".join(spellings.EXTREME) + rb")[:.]", spellings.EXTREME.get, b"11/21/2026 10:00:00.12 <Warn:HW.Oven> hot", "warn"),
        ("brocade", rb"\[[A-Z0-9]{1,8}-\d{1,6}\], (?:[^,\n]{0,40}, ){0,3}?(?P<LEVEL>CRITICAL|ERROR|WARNING|INFO), ", _word, b"2026/11/21-10:00:00, [FW-1424], 1, FID 128, WARNING, sw1, hot", "warn"),
        ("redshift", rb"(?:UTC )?\[[^\]\n]{1,200}\]' (?P<LEVEL>LOG):", _field, b"'2026-11-21T10:00:00Z UTC [ db=oven ]' LOG: select 1", "info"),
        ("loguru", rb"(?<=\| )(?P<LEVEL>SUCCESS) {1,8}\|", {b"SUCCESS": "info"}.get, b"2026-11-21 10:00:00.123 | SUCCESS  | oven:run:12 - on", "info"),
        ("fabric", rb"\[[\w.-]{1,60}\] [\w.]{1,80} (?:->|\xe2\x96\xb6) (?P<LEVEL>" + b"|".join(spellings.FABRIC) + rb")(?= [0-9a-f]{3,8} )", spellings.FABRIC.get, b"2026-11-21 10:00:00.123 UTC [oven] run -> ERRO 01a hot", "error"),
        ("dlt", rb"(?:[\w-]{1,12} ){3,6}log (?P<LEVEL>fatal|error|warn|info|debug|verbose) (?:non-)?verbose ", _word, b"2026/11/21 10:00:00.123456 12345 001 ECU1 OVEN CTX1 12 log error verbose 1 [hot]", "error"),
        ("zoneminder", rb"[\w-]{1,40}\[\d{1,10}\]\.(?P<LEVEL>" + b"|".join(spellings.ZONEMINDER) + rb")(?:-| \[)", spellings.ZONEMINDER.get, b"11/21/26 10:00:00.123456 zma_m1[12].ERR-zma_m1 [hot]", "error"),
        ("facility_box", rb"<[a-z]{2,8}\d?\.(?P<LEVEL>emerg|alert|crit|err|warning|warn|notice|info|debug)> ", _word, b"2026-11-21T10:00:00.123+00:00 <local3.err> oven event: hot", "error"),
        ("vmkernel", rb"(?P<LEVEL>" + b"|".join(spellings.VMKERNEL) + rb")\(\d{1,4}\)", spellings.VMKERNEL.get, b"2026-11-21T10:00:00.123Z Wa(180) vmkwarning: cpu1", "warn"),
        ("further_angles", rb"(?:[\w./-]{1,40} ){1,4}<" + _level(ANY_CASE) + rb">(?= \(thread)", _word, b"2026-11-21 10:00:00.123/0.4 Oracle Coherence 12.2 <Error> (thread=main): hot", "error"),
        ("angled_part", rb"<[\w.-]{1,32}:" + _level(ANY_CASE) + rb">", _word, b"20261121100000.123456 <sip:WARN> hot", "warn"),
        ("box_part", rb"\[[\w.:/-]{1,80}[:| ]" + _level(CAPITALS) + rb"(?=[\]:|])", _word, b"2026-11-21T10:00:00.123456 [oven:main:ERROR:src/main.rs:12] hot", "error"),
        ("box_first_part", rb"\[" + _level(SOME_CASE) + rb"-(?=[A-Z]\w{1,40}\.)", _word, b"2026-11-21 10:00:00 +00 - [Warning-Duplicati.Library.Main]: hot", "warn"),
        ("between_slashes", rb"[\w.-]{1,64}/" + _level(CAPITALS) + rb"/[\w.]{1,80}:", _word, b"[2026-11-21 10:00:00,123] kitchen/INFO/locust.main: on", "info"),
        ("after_colon", rb"[A-Z][A-Za-z]{1,32}:(?P<LEVEL>TRC|DBG|NFO|WRN|ERR|FTL)(?= )", _word, b"2026-Nov-21 10:00:00.123 UTC LoadMonitor:WRN hot", "warn"),
        ("wrapped", rb"(?:[*!~#=/'+]{1,5} ?)" + _level(CAPITALS) + rb" ?[*!~#=/'+]{1,5}(?=[ \w])", _word, b"2026-11-21 10:00:00 #WARN# hot", "warn"),
        ("box_level_first", rb"\[" + _level(CAPITALS) + rb" {1,8}[\w.:/-]{1,60}\]", _word, b"2026-11-21T10:00:00.123Z [WARN  oven] hot", "warn"),
        ("name_with_colon", rb"[\w.-]{1,64}:" + _level(CAPITALS) + rb":(?= )", _word, b"[2026-11-21 10:00:00,123] oven:ERROR: hot", "error"),
        ("thick_arrow", _level(CAPITALS) + rb" ?=>", _word, b"2026-11-21 10:00:00 WARN=> hot", "warn"),
        ("quoted_name", rb"\"[\w .-]{1,64}\" {1,4}" + _level(CAPITALS) + rb"(?= )", _word, b'2026-11-21 10:00:00 "main" WARN hot', "warn"),
        ("quoted", rb"(?:\"[^\"\n]{0,60}\"[,;]){0,4}\"" + _level(CAPITALS) + rb"\"(?=[,; ]|$)", _word, b'"2026-11-21 10:00:00","WARN","oven","hot"', "warn"),
        ("arrow", rb"\xe2\x96\xb6 " + _level(CAPITALS) + rb"(?=[ :])", _word, b"[KRAKEND] 2026/11/21 - 10:00:00.123 \xe2\x96\xb6 ERROR hot", "error"),
        ("traffic_server", rb"\w{1,20} \{\w{1,20}\} (?P<LEVEL>" + CAPITALS + rb"|NOTE|STATUS):", {**levels.LEVEL_OF_WORD_IN_CAPITALS, b"STATUS": "info"}.get, b"[Nov 21 10:00:00.123] Server {0x7f0a} NOTE: on", "info"),
        ("opengauss", rb"(?:[^\s]{1,64} ){6,9}\[[A-Z_]{2,20}\] (?P<LEVEL>LOG|" + CAPITALS + rb"):", _field, b"2026-11-21 10:00:00.123 5f1a.1 [unknown] 140 [unknown] 0 gaussmaster 00000 0 [BACKEND] LOG:  on", "info"),
    ),
    *_places(Where.OUTSIDE_SYSLOG,
        ("punctuated", _level(SOME_CASE) + rb"(?=:(?:[\s:]|$)|[|\t,\]]|  | [\[({-] ?| [|>] )", _word, b"2016-09-28 04:30:30, Info                  CBS    Loaded", "info"),
        ("program", _level(SOME_CASE) + rb"(?= [\w.-]{1,64}(?:  )?\[)", _word, b"2026-11-21T10:00:00.123Z info hostd[1] [Originator@6876] on", "info"),
        ("category", rb"[a-z-]{1,32}: " + _level(SOME_CASE) + rb"(?=: )", _word, b"21-Nov-2026 10:00:00.123 general: warning: oven", "warn"),
        ("named", NO_NAME + rb"[A-Za-z_][\w-]{0,40} {1,24}" + _level(_UPPER_CASE) + rb"(?=!? |[:\]])", _word, b"2026-11-21 10:00:00,123 oven ERROR could not open", "error"),
        ("named_short", rb"(?<=\] )" + NO_NAME + rb"[A-Za-z_][\w-]{0,40} {1,24}(?P<LEVEL>DBG|NFO|WRN|ERR)(?= )", _word, b"[2026-11-21 10:00:00] oven ERR hot", "error"),
        ("named_colon_box", rb"[A-Za-z][\w.-]{0,40}: \[ ?" + _level(ANY_CASE) + rb" ?\](?= )", _word, b"2026-11-21 10:00:00 oven: [ERROR] hot", "error"),
        ("versioned", rb"[a-z]\w{1,30} \d{1,4}(?:\.\w{1,16}){1,4} \[[\w. -]{1,60}\] " + _level(_UPPER_CASE) + rb"(?=: )", _word, b"2026-11-21 10:00:00 diagd 3.1.0 [P12TMainThread] ERROR: hot", "error"),
        ("named_pairs", rb"(?:[a-z]{2,16}:[\w./-]{0,60} ){2,10}[\w@.-]{1,60} " + _level(_UPPER_CASE) + rb"(?= )", _word, b"2026-11-21 10:00:00,123 org:oven env:prod api:bake NIOThread@0 ERROR HTTP - hot", "error"),
        ("component_in_angles", rb"[a-z]\w{1,24} [A-Z]{2,24} {0,24}: <" + _level(CAPITALS) + rb">", _word, b"2026-11-21T10:00:00.123 hyperiond CORE         : <ERROR> hot", "error"),
        ("named_colon", NO_NAME_OF_SETTING + rb"[A-Za-z_][\w-]{1,40}: {1,4}" + _level(_UPPER_CASE) + rb"(?= )", _word, b"2026-11-21 10:00:00 oven: WARN hot", "warn"),
        ("two_names", NO_NAME + rb"[A-Z][a-z]\w{0,40} " + NO_NAME + rb"[A-Z][a-z]\w{0,40} " + _level(_UPPER_CASE) + rb"(?= )", _word, b"2026-11-21 10:00:00 Oven Service WARN hot", "warn"),
        ("thread_and_name", rb"[A-Z][a-z]{1,20}[A-Z]\w{0,40} " + NO_NAME + rb"[A-Za-z_][\w-]{0,40} " + _level(_UPPER_CASE) + rb"(?= )", _word, b"2026-11-21 10:00:00,123 MainThread oven ERROR hot", "error"),
        ("numbered_worker", rb"(?:[A-Z][\w.]{0,20} ){1,3}#\d{1,4} " + _level(_UPPER_CASE) + rb"(?= )", _word, b"2026-11-21 10:00:00 UTC IO Worker #1 WARN sync  hot", "warn"),
        ("named_server", _level(_CAPITALISED) + rb"(?= [A-Z]\w{1,40}: )", _word, b"2026-11-21 10:00:00.123 Info HttpServer: on", "info"),
        ("pm2", rb"PM\d (?P<LEVEL>error)(?=: )", _word, b"2026-11-21T10:00:00: PM2 error: hot", "error"),
        ("box_part_behind_dash", rb"\[[\w.:/-]{1,80}-" + _level(CAPITALS) + rb"(?=[\]:|])", _word, b"2026-11-21 10:00:00 [kitchen-ERROR] hot", "error"),
        ("named_box", rb"[\w-]{1,40} {1,4}\[ ?" + _level(SOME_CASE) + rb" ?\]", _word, b"2026-11-21T10:00:00.123456+0000 mon.a (mon.0) 12 : cluster [WRN] hot", "warn"),
        ("named_parts", rb"[\w-]{1,40} {1,4}\[[\w-]{1,32} " + _level(CAPITALS) + rb"\]", _word, b"2026-11-21T10:00:00.123 GABCD [Herder ERROR] hot", "error"),
        ("bacula", rb"[\w.-]{1,64} JobId \d{1,10}: (?P<LEVEL>Fatal|Error|Warning)(?: error)?(?=: )", _word, b"11-Nov 13:28 kitchen-dir JobId 11: Fatal error: hot", "fatal"),
        ("puppet", rb"[\w/\[\]:.@-]{1,120} \(" + _level(SOME_CASE) + rb"\): ", _word, b"2026-11-21 10:00:00 +0000 Puppet (notice): on", "info"),
        ("unreal", rb"Log\w{1,64}: (?P<LEVEL>Error|Warning|Fatal|Verbose)(?=: )", _word, b"[2026.11.21-10.00.00:123][  0]LogOven: Error: hot", "error"),
        ("mikrotik_topics", rb"(?:[a-z0-9-]{1,20},){1,4}?(?P<LEVEL>info|warning|error|critical|debug)(?=[, ])", _word, b"nov/21 10:00:00 system,error,critical login failure", "error"),
        ("libvirt", rb"\d{1,8}: " + _level(SOME_CASE) + rb"(?= : )", _word, b"2026-11-21 10:00:00.123+0000: 12: error : oven:1806 : hot", "error"),
        ("dotnet", rb"(?P<LEVEL>trce|dbug|info|warn|fail|crit): (?=[\w.`]{1,200}\[\d)", _field, b"2026-11-21 10:00:00 fail: Kitchen.Oven[0] hot", "critical"),
        ("falco", rb"(?<=: )(?P<LEVEL>Critical|Error|Warning|Notice|Informational|Debug) (?=[A-Z])", _word, b"10:00:00.123456789: Warning Shell history had been deleted", "warn"),
    ),
    *_places(Where.SYSLOG,
        ("postfix", rb"(?:[\w.-]{1,64} )?postfix/[\w/-]{1,32}\[\d{1,10}\]: (?P<LEVEL>warning|error|fatal|panic):", _word, b"Nov 21 10:00:00 mx postfix/smtpd[1]: warning: oven", "warn"),
        ("dovecot", rb"(?:[\w.-]{1,64} )?(?:dovecot: [a-z0-9-]{1,24}|[a-z0-9-]{1,24}(?=\())(?:\([\w.@+-]{1,64}\)(?:<[^>\n]{0,64}>){0,2})?: (?P<LEVEL>Debug|Info|Warning|Error|Fatal|Panic):", _word, b"Nov 21 10:00:00 imap(ada): Info: oven", "info"),
        ("facility", rb"(?:[\w.-]{1,64} )?(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|local\d)\.(?P<LEVEL>emerg|alert|crit|err|warning|warn|notice|info|debug) ", _word, b"Nov 21 10:00:00 kitchen daemon.warning oven[12]: hot", "warn"),
        ("asl", rb"[\w.-]{1,64} [\w.() -]{1,80}\[\d{1,7}\] <(?P<LEVEL>Emergency|Alert|Critical|Error|Warning|Notice|Info|Debug)>: ", _word, b"Nov 21 10:00:00 iPhone oven(Network)[12] <Error>: hot", "error"),
        ("monit", _level(_LOWER_CASE) + rb" {0,6}: (?=')", _word, b"[UTC Nov 21 10:00:00] error    : 'oven' process is not running", "error"),
        ("between_signs", rb"[\w.-]{1,64} : [#*=]{1,3}" + _level(CAPITALS) + rb"[#*=]{1,3} ", _word, b"Nov 21 10:00:00 kitchen : #WARN# hot", "warn"),
        ("netapp", rb"(?:[\w.-]{1,64} )?\[[\w.-]{1,64}: ?[\w.-]{1,80}:(?P<LEVEL>emergency|alert|error|notice|info|informational|warning|debug)\]:", _word, b"Nov 21 10:00:00 [node1:wafl.oven:error]: hot", "error"),
        ("process_box", rb"\[\d{1,10}\] (?P<LEVEL>info|warn|error|dbg): ", _word, b"Sat Nov 21 10:00:00 2026 [12] warn: config: hot", "warn"),
        ("radius", rb"(?<=: )(?P<LEVEL>Info|Error|Warning|Debug)(?=: )", _word, b"Sat Nov 21 10:00:00 2026 : Error: hot", "error"),
        ("slog_rs", rb"(?P<LEVEL>ERRO|DEBG|TRCE)(?= )", spellings.SLOG_RS.get, b"Nov 21 10:00:00.123 ERRO hot, oven: 1", "error"),
        ("wifi", rb"(?P<LEVEL>Info|Error|Warning|Debug|Notice): (?=<)", _word, b"Sat Nov 21 10:00:00.123 Error: <airportd[12]> hot", "error"),
        ("solaris", rb"(?:[\w.-]{1,64} )?[\w./-]{1,64}(?:\[\d{1,10}\])?: \[ID \d{1,10} [a-z]{2,10}\d?\.(?P<LEVEL>emerg|alert|crit|error|err|warning|warn|notice|info|debug)\]", _word, b"Nov 21 10:00:00 kitchen oven: [ID 702911 daemon.error] hot", "error"),
        ("stunnel_syslog", rb"[\w.-]{1,64} stunnel(?:\[\d{1,10}\])?: LOG(?P<LEVEL>[0-7])(?=\[[\w:]{1,24}\]: )", _severity, b"Nov 21 10:00:00 kitchen stunnel: LOG3[12]: hot", "error"),
        ("box_and_severity", rb"[\w.-]{1,64} [\w.-]{1,64}: \[[A-Z]{2,16}\]<(?P<LEVEL>[0-7])>", _severity, b"Nov 21 10:00:00 lb1 a10logd: [SYSTEM]<3> hot", "error"),
        ("bsd", rb"<[a-z]{2,10}\d?\.(?P<LEVEL>emerg|alert|crit|err|warning|notice|info|debug)> ", _word, b"Nov 21 10:00:00 <kern.crit> kitchen kernel: hot", "critical"),
        ("pacemaker", rb"[\w.-]{1,64} [\w.-]{1,64} {0,4}\[\d{1,10}\] \([^()\n]{1,80}\) {1,12}" + _level(_LOWER_CASE) + rb"(?=: )", _word, b"Nov 21 10:00:00 node1 pacemaker-controld  [12] (start@oven.c:12)      info: on", "info"),
        ("corosync", rb"\[\d{1,10}\] [\w.-]{1,64} corosync {1,4}" + _level(_LOWER_CASE) + rb" {1,6}(?=\[)", _word, b"Nov 21 10:00:00 [12] node1 corosync error   [TOTEM ] hot", "error"),
        ("last_letter_box", rb"(?:\[[\w .-]{1,20}\]){1,3}\[" + _LETTER + rb"\](?=: )", _letter, b"Sat Nov 21 10:00:00 2026 [Z0][VMM][E]: hot", "error"),
        ("host_level", rb"[\w./-]{1,64} (?P<LEVEL>emerg|alert|crit|err|warning|notice|info|debug) [\w.-]{1,64}\[\d{1,10}\]:", _word, b"Nov 21 10:00:00 bigip err tmm[1]: 01010028:3: oven", "error"),
    ),
    *_places(Where.ALONE,
        ("alone_box", rb"\[ ?" + _level(ANY_CASE) + rb" {0,8}\](?=[\s:\[]|$)", _word, b"[ERROR] oven", "error"),
        ("alone_capitals", _level(CAPITALS) + rb"(?=:(?:\s|$|[\w.]{1,64}:)|[ \t]|\[\d|$| ?\|)", _word, b"WARNING: oven", "warn"),
        ("alone_indented", rb" " + _level(rb"INFO|WARN") + rb"(?= [a-z]\w{1,30}: )", _word, b" WARN global: hot", "warn"),
        ("wrapper_status", rb"(?P<LEVEL>STATUS)(?= {1,4}\| wrapper )", {b"STATUS": "info"}.get, b"STATUS | wrapper  | Wrapper Started", "info"),
        ("perforce", rb"Perforce (?:server|client) (?P<LEVEL>info|error):(?=\s|$)", _word, b"Perforce server error:", "error"),
        ("alone_careful", _level(CAREFUL_CAPITALS) + rb"(?=:\s)", _word, b"FINE: oven", "debug"),
        ("alone_program_word", rb"[A-Za-z][\w.-]{0,40}\[\d{1,10}\]: " + _level(CAPITALS) + rb"(?=:\s)", _word, b"guacd[12]: ERROR:\thot", "error"),
        ("logcat_tag", rb"(?P<LEVEL>[VDIWE])/(?=[A-Z][\w.$-]{1,64} {0,16}: )", _letter, b"E/Oven: hot", "error"),
        ("logcat_thread", _LOGCAT + rb"\( {0,5}\d{1,7}: {0,5}\d{1,7}\) ", _letter, b"E( 1702: 2395) hot", "error"),
        ("wine", rb"(?:\d{1,9}\.\d{3}:)?(?:[0-9a-f]{2,8}:){0,2}(?P<LEVEL>err|fixme|warn|trace):(?=[a-z]\w{1,31}:\w)", spellings.WINE.get, b"0024:err:module:import_dll Library oven.dll not found", "error"),
        ("project_zomboid", rb"(?P<LEVEL>LOG) {2}: (?=[A-Z])", _field, b"LOG  : General", "info"),
        ("julia", rb"(?:\xe2\x94\x8c|\[) (?P<LEVEL>Info|Warning|Error|Debug): ", _word, "┌ Warning: hot".encode(), "warn"),
        ("arduino", rb"\[ {0,8}\d{1,10}\]\[(?P<LEVEL>[EWIDV])\]\[", _letter, b"[  1234][E][oven.cpp:12] run(): hot", "error"),
        ("cms", rb"%MSG-(?P<LEVEL>[ewid]) (?=\w)", levels.level_of_field, b"%MSG-e Oven:  OvenProducer:oven", "error"),
        ("vlc", rb"\[[0-9a-f]{8,16}\] [\w-]{1,32} [\w ]{1,32} (?P<LEVEL>error|warning|debug): ", _word, b"[00005581a2b3] main libvlc error: hot", "error"),
        ("ffmpeg", rb"\[[\w-]{1,40} @ (?:\dx)?[0-9a-f]{4,16}\] \[(?P<LEVEL>panic|fatal|error|warning|info|verbose|debug|trace)\]", _word, b"[h264 @ 0x5581a2b3] [warning] hot", "warn"),
        ("alone_dotnet", rb"(?P<LEVEL>trce|dbug|info|warn|fail|crit): (?=[\w.`]{1,200}\[\d)", _field, b"fail: Kitchen.Oven[0]", "critical"),
        ("counted_word", rb"\d{1,10}: (?:\(\d{1,10}\))?: " + _level(CAPITALS) + rb"(?=: )", _word, b"123: (12): INFO: session 1", "info"),
        ("numbered_process", rb" ?\d{1,4}\(\d{1,10}\) " + _level(CAPITALS) + rb"(?=: )", _word, b"12(34) ERROR: core: hot", "error"),
        ("alone_box_of_parts", rb"\[" + _level(CAPITALS) + rb"[|:][\w.:|/-]{1,60}\]", _word, b"[INFO|trainer.py:12] on", "info"),
        ("alone_named_box", rb"\[[\w.-]{1,60} : " + _level(CAPITALS) + rb"\]", _word, b"[main : ERROR] hot", "error"),
        ("alone_padded_name", rb"[\w.]{1,64} {0,24}: " + _level(CAPITALS) + rb"(?= {2,8}\S)", _word, b"root        : INFO     on", "info"),
        ("alone_category", rb"(?:" + b"|".join(BIND_CATEGORIES) + rb"): " + _level(_LOWER_CASE) + rb"(?=: )", _word, b"xfer-in: error: transfer of 'oven' failed", "error"),
        ("alone_program", _level(_LOWER_CASE) + rb"(?= [\w-]{1,32}\[\d{1,10}\] \[Originator@)", _word, b"warning hostd[12] [Originator@6876 sub=Oven] hot", "warn"),
        ("relative", rb"\d{1,10} {1,6}\[[^\]\n]{1,80}\] " + _level(CAPITALS) + rb"(?= )", _word, b"1234 [main] ERROR org.example.Oven  - hot", "error"),
        ("alone_logrus", rb"(?P<LEVEL>" + b"|".join(spellings.LOGRUS) + rb")\[\d{4}\]", spellings.LOGRUS.get, b"ERRO[0000] hot", "error"),
        ("liberty", rb"\[(?P<LEVEL>AUDIT) {1,4}\](?= )", {b"AUDIT": "info"}.get, b"[AUDIT   ] CWWKF0011I: on", "info"),
        ("esp_idf", rb"(?P<LEVEL>[EWIDV]) \(\d{1,12}\) [\w.-]{1,32}: ", _letter, b"W (1234) oven: hot", "warn"),
        ("logcat_process", _LOGCAT + rb"\( {0,5}\d{1,7}\) ", _letter, b"W( 1702) hot  (Oven)", "warn"),
        ("alone_logcat", _LOGCAT + _TAG, _letter, b"W/Oven( 1702): hot", "warn"),
        ("uptime", rb"\[ {0,8}[\d.,]{1,16}m?s?\] {0,2}\[ ?" + _level(ANY_CASE) + rb" {0,8}\]", _word, b"[0.123s][info][gc] Pause", "info"),
        ("uptime_word", rb"\[ {0,8}[\d.]{1,16}m?s\] {1,2}" + _level(CAPITALS) + rb"(?= )", _word, b"[     0.001234s]  WARN ThreadId(01) oven: hot", "warn"),
        ("xorg", rb"\[ {0,8}[\d.]{1,16}\] \((?P<LEVEL>II|WW|EE|==|--|\*\*|\+\+)\) ", spellings.XORG.get, b"[    12.345] (EE) Failed to load module", "error"),
        ("pulseaudio", rb"(?P<LEVEL>[EWNID]): (?=\[)", _letter, b"E: [pulseaudio] oven.c: hot", "error"),
        ("gstreamer", rb"\d:\d\d:\d\d\.\d{9} {1,8}\d{1,10} {1,4}0x[0-9a-f]{4,16} " + _level(rb"ERROR|WARN|INFO|DEBUG|TRACE") + rb"(?= )", _word, b"0:00:01.012345678    12 0x55d5c1234560 ERROR      oven oven.c:12:run: hot", "error"),
        ("workflow_alone", rb"##\[(?P<LEVEL>error|warning|debug)\]", _word, b"##[error]Process completed with exit code 1.", "error"),
        ("dmesg", rb"(?:kern|user|daemon|syslog|auth|local\d) {0,4}:" + _level(ANY_CASE) + rb" {0,6}: ", _word, b"kern  :err   : [   12.345678] usb 1-1: oven", "error"),
        ("npm", rb"npm (?P<LEVEL>WARN|ERR!|warn|error|info|verb|http)(?= )", lambda found: _word(found.rstrip(b"!")), b"npm ERR! code EOVEN", "error"),
        ("npm_debug", rb"\d{1,6} (?:npm )?(?P<LEVEL>verbose|info|warn|error)(?= )", _word, b"12 verbose cli oven", "trace"),
        ("alone_php", rb"PHP (?P<LEVEL>Warning|Notice|Fatal|Parse|Deprecated)\b", spellings.PHP.get, b"PHP Notice:  oven", "info"),
        ("alone_cisco", rb"%[A-Z][A-Z0-9_]{1,40}-(?P<LEVEL>[0-7])-[A-Z0-9_]{1,64}:", _severity, b"%SYS-5-CONFIG_I: oven", "info"),
        ("composed", rb"[\w.-]{1,64} {1,20}\| {0,4}" + _level(CAPITALS) + rb"(?=[\s:])", _word, b"web-1  | ERROR oven", "error"),
    ),
)  # fmt: skip
PLACE_OF: Final = {place.name: place for place in PLACES}


def any_place(*where: Where) -> bytes:
    """A pattern for the places, with a group named after each around its level."""
    return b"|".join(
        place.pattern.replace(b"LEVEL", place.name.encode())
        for place in PLACES
        if place.where in where
    )


@lru_cache(maxsize=64)
def after_level(place: Place) -> bytes:
    """A pattern for what must follow the level in its place, including the end of a line."""
    depth = 1
    at = place.pattern.index(b"(?P<LEVEL>") + 1
    while depth:
        at += 1
        if place.pattern[at - 1 : at] == b"\\":
            continue
        depth += {b"(": 1, b")": -1}.get(place.pattern[at : at + 1], 0)
    return place.pattern[at + 1 :].replace(b"$", rb"(?=\n|\Z)")
