"""The forms of a window that people can type, each with its examples: what help shows, what is
documented, and what is tested.
"""

from __future__ import annotations

from msgspec import Struct


class Form(Struct, frozen=True):
    """One way to name a window. `by_day` where `/usage` knows it, too."""

    meaning: str
    examples: tuple[str, ...]
    by_day: bool = True


FORMS = (
    Form("back from now", ("20m", "2h", "1h30m", "1.5h", "90s", "last 20 mins", "past two hours", "-24h", "PT3H", "half an hour ago"), by_day=False),
    Form("days, weeks or months back", ("7d", "2w", "3 months", "last 7 days", "past week", "last fortnight", "rolling 30 days", "P7D", "last 2 full weeks", "last 3 full months")),
    Form("days by name", ("today", "yesterday", "the day before yesterday", "last friday", "monday last week", "last weekend", "last day of october")),
    Form("calendar weeks, months, quarters and years", ("this week", "last month", "last quarter", "Q3 2026", "Q3 26", "october", "2026-11", "2026-W45", "week 45", "KW45/2026", "2025", "H1 2026", "last year", "week of Nov 2", "week ending Nov 8", "the week before last")),
    Form("to date", ("week to date", "month to date", "mtd", "ytd", "this month so far")),
    Form("a date", ("2026-11-01", "2026/11/01", "20261101", "Nov 1", "1st of November", "November 1, 2025", "21/11/2026", "21.11.2026", "the 1st", "first of november", "first 3 days of october")),
    Form("a range of dates, both included", ("2026-11-01..2026-11-07", "Nov 1-7", "1.-7.11.2026", "13-15 July", "Nov 1 to Nov 7", "monday to friday", "2026-11-01/2026-11-07", "2026-11-01..07")),
    Form("since a day", ("since monday", "since Jun 1", "since start of month", "-7d@d", "since yesterday", "monday onwards")),
    Form("since a time", ("since 09:00", "since 9am", "since 2 hours ago", "since monday 9am", "since 10:30 UTC", "10:00 to now"), by_day=False),
    Form(
        "from one time to another",
        ("14:00 to 14:10", "3-4pm", "2:00-3:00pm", "between 2pm and 4pm", "between 30 and 10 minutes ago", "last night 10pm to 2am", "noon to 3pm", "yesterday 2pm-3pm", "Nov 1, 1:00 pm - 2:00 pm",
         "2026-11-01 10:00 to 11:30", "2026-11-01T10:00Z/PT1H", "10:00 to 11:00 America/New_York"),
        by_day=False,
    ),
    Form("a length before, after or around a time", ("14:00 for 5m", "14:00 +5m", "30m before 14:00", "an hour after 9am", "13:30 ± 10m", "3h to 1h ago"), by_day=False),
    Form("a day until a time, or after it", ("today until 10:00", "yesterday after 6pm", "monday before noon"), by_day=False),
    Form("parts of a day", ("this morning", "yesterday evening", "last night", "monday afternoon", "morning of Nov 1", "this morning 9-10", "this hour", "last full hour"), by_day=False),
    Form("as in monitoring tools", ("now-6h", "now-6h to now-3h", "now-1d/d", "now-1h/h", "-1h@h to @h", "5m offset 1h", "last: 10h", "from=1795200000000 to=1795203600000"), by_day=False),
)  # fmt: skip
