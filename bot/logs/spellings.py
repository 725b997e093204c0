"""The levels of individual programs: the letters, numbers and short words of each."""

from __future__ import annotations

from typing import Final

from bot.logs import levels

VMKERNEL: Final = {
    b"In": "info",
    b"Wa": "warn",
    b"Er": "error",
    b"Db": "debug",
    b"No": "info",
    b"Cr": "critical",
    b"Al": "critical",
    b"Em": "fatal",
}
PHP: Final = {
    b"Warning": "warn",
    b"Notice": "info",
    b"Fatal": "fatal",
    b"Parse": "fatal",
    b"Deprecated": "warn",
}
LOGRUS: Final = {
    b"TRAC": "trace",
    b"DEBU": "debug",
    b"ERRO": "error",
    b"FATA": "fatal",
    b"PANI": "fatal",
}
SLOG_RS: Final = {b"TRCE": "trace", b"DEBG": "debug", b"ERRO": "error"}
UNIFIED: Final = {b"E": "error", b"F": "fatal", b"I": "info", b"Db": "debug", b"Df": "info"}
# Fatal, error, warning, audit, info, config, detail, SystemOut, SystemErr, fine, finer, finest,
# entry and exit.
WEBSPHERE: Final = {
    b"F": "fatal",
    b"E": "error",
    b"W": "warn",
    b"A": "info",
    b"I": "info",
    b"C": "debug",
    b"D": "debug",
    b"O": "info",
    b"R": "info",
    b"1": "debug",
    b"2": "debug",
    b"3": "trace",
    b">": "trace",
    b"<": "trace",
}
QUESTDB: Final = {**levels.LEVEL_OF_LETTER, b"A": "info"}
ARUBA: Final = {
    b"EMER": "fatal",
    b"ALER": "critical",
    b"CRIT": "critical",
    b"ERRS": "error",
    b"WARN": "warn",
    b"NOTI": "info",
    b"INFO": "info",
    b"DBUG": "debug",
}
EXTREME: Final = {
    b"Crit": "critical",
    b"Erro": "error",
    b"Warn": "warn",
    b"Noti": "info",
    b"Info": "info",
    b"Summ": "debug",
    b"Verb": "trace",
}
FABRIC: Final = {
    b"FATA": "fatal",
    b"PANI": "fatal",
    b"CRIT": "critical",
    b"ERRO": "error",
    b"WARN": "warn",
    b"NOTI": "info",
    b"INFO": "info",
    b"DEBU": "debug",
}
XORG: Final = {
    b"EE": "error",
    b"WW": "warn",
    b"II": "info",
    b"==": "info",
    b"--": "info",
    b"**": "info",
    b"++": "info",
}
# Qt: warning, fatal, critical, debug; X has no letter.
MUMBLE: Final = {b"W": "warn", b"F": "fatal", b"C": "critical", b"X": "info", b"D": "debug"}
NETBACKUP: Final = {b"2": "debug", b"4": "info", b"8": "warn", b"16": "error", b"32": "critical"}
PYTHON_TENS: Final = {
    b"10": "debug",
    b"20": "info",
    b"30": "warn",
    b"40": "error",
    b"50": "critical",
}
SQL_AGENT: Final = {b"!": "error", b"+": "warn", b"?": "info"}
ZONEMINDER: Final = {
    b"DBG": "debug",
    b"INF": "info",
    b"WAR": "warn",
    b"ERR": "error",
    b"FAT": "fatal",
    b"PNC": "fatal",
}
# The verbosity at which it is written, which FHEM counts from the start of the server.
FHEM: Final = {
    b"0": "info",
    b"1": "error",
    b"2": "warn",
    b"3": "info",
    b"4": "debug",
    b"5": "debug",
}
# InterSystems: information, warning, severe, fatal.
IRIS: Final = {b"0": "info", b"1": "warn", b"2": "error", b"3": "fatal"}
FRR: Final = {
    b"emergencies": "fatal",
    b"alerts": "critical",
    b"critical": "critical",
    b"errors": "error",
    b"warnings": "warn",
    b"notifications": "info",
    b"informational": "info",
    b"debugging": "debug",
}
FRR_DAEMONS: Final = (
    *(b"BABEL", b"BFD", b"BGP", b"EIGRP", b"FABRIC", b"ISIS", b"LDP", b"MGMTD", b"NHRP", b"OSPF"),
    *(b"OSPF6", b"PATH", b"PBR", b"PIM", b"PIM6", b"RIP", b"RIPNG", b"SHARP", b"STATIC", b"VRRP"),
    *(b"WATCHFRR", b"ZEBRA"),
)
SHAREPOINT: Final = {
    b"Critical": "critical",
    b"Unexpected": "error",
    b"Monitorable": "warn",
    b"High": "info",
    b"Medium": "info",
    b"VerboseEx": "trace",
    b"Verbose": "debug",
}
WINE: Final = {b"err": "error", b"fixme": "warn", b"warn": "warn", b"trace": "trace"}
ECLIPSE: Final = {b"0": "info", b"1": "info", b"2": "warn", b"4": "error"}
GLIB: Final = {**levels.LEVEL_OF_WORD_IN_CAPITALS, b"Message": "info"}
CORE_LIGHTNING: Final = {b"UNUSUAL": "warn", b"**BROKEN**": "error"}
ORACLE: Final = {
    **levels.LEVEL_OF_WORD_IN_CAPITALS,
    b"NOTIFICATION": "info",
    b"INCIDENT_ERROR": "critical",
}
