"""The names of time zones and months, as programs write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ZONES: Final = {
    b"UTC": b"Z", b"GMT": b"Z", b"WET": b"Z", b"Z": b"Z", b"UCT": b"Z",
    b"CET": b"+01:00", b"CEST": b"+02:00", b"MET": b"+01:00", b"MEST": b"+02:00", b"EET": b"+02:00", b"EEST": b"+03:00",
    b"WEST": b"+01:00", b"MSK": b"+03:00", b"EST": b"-05:00", b"EDT": b"-04:00", b"CDT": b"-05:00", b"MST": b"-07:00",
    b"MDT": b"-06:00", b"PST": b"-08:00", b"PDT": b"-07:00", b"AKST": b"-09:00", b"AKDT": b"-08:00", b"HST": b"-10:00",
    b"BRT": b"-03:00", b"JST": b"+09:00", b"KST": b"+09:00", b"SGT": b"+08:00", b"HKT": b"+08:00", b"SAST": b"+02:00",
    b"AEST": b"+10:00", b"AEDT": b"+11:00", b"ACST": b"+09:30", b"AWST": b"+08:00", b"NZST": b"+12:00", b"NZDT": b"+13:00",
}  # fmt: skip
# One name, several countries: India, Israel, Ireland; the middle of America, China; Britain,
# Bangladesh.
SHARED_ZONES: Final = {
    b"IST": (b"+05:30", b"+02:00", b"+01:00"),
    b"CST": (b"-06:00", b"+08:00"),
    b"BST": (b"+01:00", b"+06:00"),
}
MONTH_NAMES: Final = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
MONTHS: Final = b"|".join(MONTH_NAMES)
# As programs write them in German, French, Spanish, Portuguese, Italian and Dutch, where that differs.
_MONTHS_ABROAD: Final[Mapping[str, int]] = {
    "janv": 1,
    "jan": 1,
    "ene": 1,
    "gen": 1,
    "Jän": 1,
    "févr": 2,
    "feb": 2,
    "fev": 2,
    "Mär": 3,
    "Mrz": 3,
    "mars": 3,
    "mar": 3,
    "mrt": 3,
    "avr": 4,
    "apr": 4,
    "abr": 4,
    "Mai": 5,
    "mai": 5,
    "may": 5,
    "mei": 5,
    "mag": 5,
    "juin": 6,
    "jun": 6,
    "giu": 6,
    "juil": 7,
    "jul": 7,
    "lug": 7,
    "août": 8,
    "aug": 8,
    "ago": 8,
    "Okt": 10,
    "okt": 10,
    "sept": 9,
    "sep": 9,
    "set": 9,
    "oct": 10,
    "out": 10,
    "ott": 10,
    "nov": 11,
    "Dez": 12,
    "déc": 12,
    "dec": 12,
    "dez": 12,
    "dic": 12,
}
MONTH_NUMBER: Final = {
    **{name.encode().lower(): number for name, number in _MONTHS_ABROAD.items()},
    **{name.lower(): number for number, name in enumerate(MONTH_NAMES, 1)},
}
# The number after it distinguishes a foreign month name from a part of a word.
MONTHS_ABROAD_AND_DIGIT: Final = tuple(
    b"%s%s%d" % (name.encode(), sign, digit)
    for name in _MONTHS_ABROAD
    for sign in (b" ", b". ", b".-", b"-", b"/")
    for digit in range(10)
)
ENGLISH_MONTHS: Final = tuple(spelt for name in MONTH_NAMES for spelt in (name, name.upper()))
# The spellings of month names.
SPELT_MONTHS: Final = (
    *ENGLISH_MONTHS,
    *(name.encode() for name in _MONTHS_ABROAD),
)
# Abbreviated and whole, as programs write them in German, French, Spanish, Italian, Portuguese, Dutch
# and Polish before a date.
_DAYS_ABROAD: Final = (
    "mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag "
    "lun mar mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche "
    "mié jue vie sáb dom lunes martes miércoles jueves viernes sábado domingo "
    "gio sab lunedì martedì mercoledì giovedì venerdì sabato domenica "
    "seg ter qua qui sex ma wo vr za zo maandag dinsdag woensdag donderdag vrijdag zaterdag zondag "
    "pon wt śr czw pt sob niedz"
)
WEEKDAYS_ABROAD: Final = tuple(
    spelt.encode() for name in _DAYS_ABROAD.split() for spelt in (name, name.capitalize())
)
