"""The levels of log lines: one name for each, and the words, letters and numbers that programs
write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from providers.patterns import compile_pattern

LEVELS: Final = ("fatal", "critical", "error", "warn", "info", "debug", "trace")

# In any letter case, each as a separate word.
_SPELLINGS: Final = {
    "fatal": "fatal emerg emergency emg panic dpanic ftl fatl fata",
    "critical": "critical crit alert crt shout",
    "error": "error err eror severe failure erro ediag",
    "warn": "warn warning wrn warnin wdiag",
    "info": "info information informational notice note inf inform system ntc nfo",
    "debug": "debug dbg dbug debg deb debu config fine finer debug1 debug2 debug3 debug4 debug5 ddebug",
    "trace": "trace verbose finest trc trce vrb verb trace1 trace2 trace3 trace4 trace5 trace6 trace7 "
    "trace8 subdebug",
}
# As Java, PostgreSQL, Windows and business programs write them in other languages.
_SPELLINGS_ABROAD: Final = {
    "critical": "kritisch critique crítico kritický kritisk критично критическая 严重 嚴重 致命 致命的 "
    "치명적",
    "error": "grave schwerwiegend fehler erreur errore błąd chyba hata fout fel fejl feil virhe hiba "
    "eroare ошибка помилка σφάλμα خطأ שגיאה 错误 錯誤 エラー 오류",
    "warn": "avertissement warnung advertencia avviso aviso waarschuwing ostrzeżenie varning advarsel "
    "varování upozornění varoitus figyelmeztetés avertizare avertisment uyarı предупреждение "
    "попередження προειδοποίηση تحذير אזהרה 警告 경고",
    "info": "infos hinweis informationen información informação informações informazioni informazione "
    "informacja informatie informace informasjon információ informație bilgi BİLGİ инфо информация "
    "інформація πληροφορίες معلومات מידע 信息 資訊 情報 정보",
    "debug": "depuración depuração débogage ladění отладка налагодження 调试 偵錯 デバッグ 디버그",
}


def _levels_of_words(spellings: Mapping[str, str]) -> dict[bytes, str]:
    """The levels by their words. Bytes have upper and lower case for ASCII only, so words with
    other letters are listed in all cases.
    """
    return {
        spelt.encode().lower(): level
        for level, words in spellings.items()
        for word in words.split()
        for spelt in (word, word.capitalize(), word.upper())
    }


WORDS_ABROAD: Final = _levels_of_words(_SPELLINGS_ABROAD)
LEVEL_OF_WORD: Final = {**_levels_of_words(_SPELLINGS), **WORDS_ABROAD}
# Words that are a level in a place for levels, such as `[Note]`, and may mean anything elsewhere.
_CAREFUL: Final = {
    b"system",
    b"fine",
    b"finer",
    b"config",
    b"note",
    b"alert",
    b"inform",
    b"verb",
    b"deb",
    b"failure",
    b"ntc",
    b"crt",
    b"emg",
    b"shout",
    *WORDS_ABROAD,
}
LEVEL_OF_FIELD: Final = {
    **LEVEL_OF_WORD,
    b"w": "warn",
    b"e": "error",
    b"i": "info",
    b"d": "debug",
    b"f": "fatal",
    b"t": "trace",
    b"v": "trace",
    b"c": "critical",
    b"all": "trace",
    b"fail": "critical",
    b"log": "info",
    b"default": "info",
    b"d1": "debug",
    b"d2": "debug",
    b"d3": "debug",
    b"d4": "debug",
    b"d5": "debug",
    b"a": "fatal",
    b"s": "fatal",
}
# glog and klog; logcat adds V (verbose) and A (assert). MongoDB: D1 to D5.
LEVEL_OF_LETTER: Final = {
    b"F": "fatal",
    b"A": "fatal",
    b"C": "critical",
    b"E": "error",
    b"W": "warn",
    b"N": "info",
    b"I": "info",
    b"D": "debug",
    b"T": "trace",
    b"V": "trace",
    b"S": "fatal",
    # Redis: debug, verbose, notice, warning.
    b".": "debug",
    b"-": "debug",
    b"*": "info",
    b"#": "warn",
}
# RFC 5424, section 6.2.1.
LEVEL_OF_SEVERITY: Final = (
    "fatal",
    "critical",
    "critical",
    "error",
    "warn",
    "info",
    "info",
    "debug",
)
# pino and bunyan.
_LEVEL_OF_TEN: Final = ("trace", "debug", "info", "warn", "error", "fatal")
# Python's logging also counts in tens, but begins with debug.
_LEVEL_OF_PYTHON_TEN: Final = ("debug", "info", "warn", "error", "critical")
_LEVEL_OF_LOGBACK: Final = {
    b"5000": "trace",
    b"10000": "debug",
    b"20000": "info",
    b"30000": "warn",
    b"40000": "error",
}
# Monolog counts in hundreds, with notice at 250 and alert at 550.
_LEVEL_OF_HUNDRED: Final = ("debug", "info", "warn", "error", "critical", "fatal")
# Application Insights.
_LEVEL_OF_INSIGHTS: Final = ("trace", "info", "warn", "error", "critical")
# Windows events and Azure.
_LEVEL_OF_WINDOWS: Final = ("info", "critical", "error", "warn", "info", "trace")
# Nextcloud.
_LEVEL_OF_NEXTCLOUD: Final = ("debug", "info", "warn", "error", "fatal")
# SSSD, by the bit that is set.
LEVEL_OF_SSSD: Final = {
    b"0x0010": "fatal",
    b"0x0020": "critical",
    b"0x0040": "error",
    b"0x0080": "warn",
    b"0x0100": "info",
    b"0x0200": "debug",
    b"0x0400": "debug",
    b"0x1000": "debug",
    b"0x2000": "trace",
    b"0x4000": "trace",
    b"0x8000": "trace",
}
# OpenTelemetry: four numbers for each.
_LEVEL_OF_FOUR: Final = ("trace", "debug", "info", "warn", "error", "fatal")


def in_each_case(words: Iterable[bytes]) -> Iterator[bytes]:
    """Each word in lower case, in capitals and capitalised."""
    for word in words:
        yield from dict.fromkeys((word, word.upper(), word.capitalize()))


def _any_of(words: Iterable[bytes]) -> bytes:
    """A pattern for the words, in which the longest that fits is first. Words with the same
    beginning share it, so that one letter is enough to skip most text.
    """
    tails_of: dict[bytes, list[bytes]] = {}
    for word in dict.fromkeys(words):
        tails_of.setdefault(word[:1], []).append(word[1:])
    may_end_here = tails_of.pop(b"", None) is not None
    branches = [re.escape(first) + _any_of(tails) for first, tails in sorted(tails_of.items())]
    if len(branches) == 1 and not may_end_here:
        return branches[0]
    return rb"(?:" + b"|".join(branches) + (rb")?" if may_end_here else rb")") if branches else b""


_PLAIN: Final = [word for word in LEVEL_OF_WORD if word not in _CAREFUL]
# As patterns: words in capitals, which are levels in more places, and words in any case.
CAPITALS: Final = _any_of(word.upper() for word in _PLAIN)
# In capitals, which languages without letter case lack.
ABROAD_CAPITALS: Final = _any_of(
    spelt for word in WORDS_ABROAD if (spelt := word.decode().upper().encode()) != word.lower()
)
CAREFUL_CAPITALS: Final = _any_of(word.upper() for word in _CAREFUL)
ANY_CASE: Final = _any_of(in_each_case(LEVEL_OF_WORD))
LEVEL_OF_WORD_IN_CAPITALS: Final = {word.upper(): level for word, level in LEVEL_OF_WORD.items()}
PLAIN_WORDS: Final = {word: LEVEL_OF_WORD[word] for word in _PLAIN}
CAREFUL_ANY_CASE: Final = _any_of(in_each_case(_CAREFUL))
# In columns, whole words of any language.
COLUMN_CASE: Final = _any_of(in_each_case((*_PLAIN, *WORDS_ABROAD)))
SOME_CASE: Final = _any_of(in_each_case(_PLAIN))


def level_of_word(word: bytes) -> str | None:
    """`WARNING` → `warn`; None if the word is not a level."""
    return LEVEL_OF_WORD.get(word.lower())


# "I/TAG", "INFO/main", "INFO (6)" and "WARN+2" begin with the level.
_FIRST_WORD: Final = compile_pattern(rb"[^ /+-]{0,20}")


@lru_cache(maxsize=1024)
def level_of_field(value: bytes) -> str | None:
    """The level in the value of a level field: a word, a letter, or a number as pino, bunyan
    and syslog use them.
    """
    if value.isdigit():
        return _level_of_number(int(value)) if len(value) < 4 else None
    lowered = value.strip().lower()
    return LEVEL_OF_FIELD.get(lowered) or LEVEL_OF_WORD.get(
        _FIRST_WORD.match(lowered)[0]  # type: ignore[index]  # it matches anything
    )


def level_of_python(value: bytes) -> str | None:
    """The level of a `levelno`."""
    number = int(value) if value.isdigit() and len(value) < 4 else 0
    return _LEVEL_OF_PYTHON_TEN[min(number // 10, 5) - 1] if number >= 10 else None


def level_of_logback(value: bytes) -> str | None:
    """The level of Logback's `level_value`, in ten thousands."""
    return _LEVEL_OF_LOGBACK.get(value)


def level_of_severity(value: bytes) -> str | None:
    """The level of a syslog severity, 0 to 7, or of a priority, whose last three bits are the
    severity.
    """
    return LEVEL_OF_SEVERITY[int(value) & 7] if value.isdigit() and len(value) < 4 else None


# Cloud Foundry's lager counts from debug.
_LEVEL_OF_LAGER: Final = ("debug", "info", "error", "fatal")


def level_of_lager(value: bytes) -> str | None:
    """The level of a `log_level`, 0 to 3, or of its name."""
    if value.isdigit() and len(value) == 1:
        number = int(value)
        return _LEVEL_OF_LAGER[number] if number < len(_LEVEL_OF_LAGER) else None
    return level_of_field(value)


_OTEL_PREFIX: Final = b"SEVERITY_NUMBER_"


def level_of_otel(value: bytes) -> str | None:
    """The level of an OpenTelemetry severity number, 1 to 24, or of its name."""
    if value.startswith(_OTEL_PREFIX):
        return level_of_word(value.removeprefix(_OTEL_PREFIX).rstrip(b"234"))
    number = int(value) if value.isdigit() and len(value) < 3 else 0
    return _LEVEL_OF_FOUR[(number - 1) // 4] if 1 <= number <= 24 else None


def level_of_insights(value: bytes) -> str | None:
    """The level of a `severityLevel` of Application Insights, 0 to 4, or of its name."""
    return _numbered(_LEVEL_OF_INSIGHTS, value)


def level_of_windows(value: bytes) -> str | None:
    """The level of a Windows event, 0 to 5, or of its name."""
    return _numbered(_LEVEL_OF_WINDOWS, value)


def level_of_nextcloud(value: bytes) -> str | None:
    """The level of a Nextcloud message, 0 to 4."""
    return _numbered(_LEVEL_OF_NEXTCLOUD, value)


def _numbered(levels: Sequence[str], value: bytes) -> str | None:
    if not value.isdigit():
        return level_of_word(value)
    number = int(value) if len(value) < 3 else len(levels)
    return levels[number] if number < len(levels) else None


def _level_of_number(number: int) -> str | None:
    if number < 8:
        return LEVEL_OF_SEVERITY[number]
    # Programs that use this scale write no other numbers.
    if number % 5 or number < 10:
        return None
    if number >= 100:
        return _LEVEL_OF_HUNDRED[min(number // 100, 6) - 1]
    return _LEVEL_OF_TEN[min(number // 10, 6) - 1]
