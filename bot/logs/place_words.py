"""Words around levels: those that programs share, and those that make a level prose."""

from __future__ import annotations

from typing import Final

LOWER_AND_CAPITALISED: Final = (
    *(b"trace", b"debug", b"info", b"notice", b"warn", b"warning", b"error", b"err", b"crit"),
    *(b"critical", b"fatal", b"Trace", b"Debug", b"Info", b"Warn", b"Warning", b"Error"),
    *(b"Critical", b"Fatal"),
)
# Text that makes a word in lower case prose. It is no longer than what is remembered of a line.
NO_PROSE: Final = rb"(?= (?!(?:in|of|on|at|to|for|from|with|was|is|and|or) ))"
# Words before a level that are not the name of a logger.
NO_NAME: Final = (
    rb"(?!(?i:an?|the|this|that|no|not|got|get|such|some|any|each|every|new|first|last|next|many|"
    rb"more|with|without|was|is|has|had|had|received|receiving|returned|returns?|unknown|"
    rb"unexpected|raised?|raising|threw|throws?|on|in|at|of|for|from|to|and|or|set|setting|using|"
    rb"print|prints|printed|as|by|if|when|because|after|before|level|log|logs|logged|logging|"
    rb"see|user|users|show|shows|found|http|page|after) )"
)


NO_NAME_OF_SETTING: Final = (
    rb"(?!(?i:log_?level|level|verbosity|mode|state|status|result|type|logging|set|is|to|from|with|"
    rb"note|error|errors|failed|response|reason|message|code|default|value|env|exit|return|print):)"
)


# Levels as syslog(3) names them.
LOG_LEVELS: Final = (
    *(b"EMERG", b"ALERT", b"CRIT", b"ERR", b"WARN", b"WARNING", b"NOTICE", b"INFO", b"DEBUG"),
)
# What BIND writes before a level if it writes no time.
BIND_CATEGORIES: Final = (
    *(b"client", b"config", b"database", b"default", b"dispatch", b"dnssec", b"general"),
    *(b"lame-servers", b"network", b"notify", b"queries", b"query-errors", b"rate-limit"),
    *(b"resolver", b"rpz", b"security", b"update", b"update-security", b"xfer-in", b"xfer-out"),
    b"zoneload",
)
