"""Facts about places for levels beyond their patterns: which of them may be remembered, and which
text every line has whose level is not a word.
"""

from __future__ import annotations

from typing import Final

from bot.logs import calendar_names, place_words, spellings

# What is remembered about a line must not depend on a digit, nor on text far after it.
NOT_REMEMBERED: Final = {
    "cisco",
    "websphere",
    "program",
    "host_level",
    "logcat_studio",
    "tensorflow_letter",
    "unified_compact",
    "go_klog",
    "go_letter",
    "postgres_csv",
    "dotnet",
    "huawei",
    "hana_letter",
    "questdb_letter",
    "slashed",
    "slashed_lower",
    "fabric",
    "sssd",
    "vmware_letter",
    "tarantool",
    "netbackup",
    "box_and_severity",
    "stunnel_syslog",
    "eclipse",
    "acronis",
    "relayed_letter",
    "checkmk",
    "box_first_part",
    "named_server",
    "opengauss",
    "after_colon",
    "letter_and_file",
    "stunnel",
    "named_colon",
    "box_level_first",
    "frr",
    "letter_alone",
    "letter_and_dash",
    "letter_and_colon",
    "letter_in_brackets",
    "before_box",
    "letter_behind_boxes",
    "mythtv_version",
    "fhem",
    "before_file",
}
# Text in every line whose level is not a word.
HINTS: Final = (
    b"LOG",
    b"PHP",
    b"%",
    *(level + b"(" for level in spellings.VMKERNEL),
    *spellings.SLOG_RS,
    b"fail: ",
    b"trce: ",
    b"(0x",
    b"DETAIL:",
    *(b"]." + level + sign for level in spellings.ZONEMINDER for sign in (b"-", b" [")),
    b"SUCCESS",
    *(b"/%d/" % severity for severity in range(8)),
    *(b"<" + level + sign for level in spellings.EXTREME for sign in (b":", b".")),
    *(b"<%s>" % level for level in spellings.ARUBA),
    *(b"-> " + level for level in spellings.FABRIC),
    *(b"\xe2\x96\xb6 " + level for level in spellings.FABRIC),
    b".go:",
    b".cc:",
    b".cpp:",
    *(b"][%c]:" % letter for letter in b"IWEFCDTNVA"),
    b"STATUS:",
    b": FAIL :",
    *(b"LOG%d[" % severity for severity in range(8)),
    b"UNUSUAL",
    b"BROKEN",
    b"[NOTIFICATION",
    b" message] [",
    *(b"]<%d>" % severity for severity in range(8)),
    *(
        b"LOG_%s%s" % (level, sign)
        for level in (*place_words.LOG_LEVELS, b"ERROR", b"CRITICAL")
        for sign in (b"|", b" ")
    ),
    *(level + b": " for level in spellings.FRR),
    *(b"\t" + level for level in spellings.SHAREPOINT),
    *(b">" + month + b" " for month in calendar_names.MONTH_NAMES),
    *(b">%d " % digit for digit in range(10)),
)
# Places whose word follows the time immediately or after tokens that the lines of a log may share.
AS_WORDS: Final = {
    "box",
    "module_box",
    "channel",
    "capitals",
    "careful_capitals",
    "key",
    "punctuated",
    "column",
    "named",
    "named_box",
}
