"""When something is due: cron expressions as people write them, in a named zone, through daylight-saving changes."""

from __future__ import annotations

import re
from datetime import tzinfo

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_cron(expression: str, zone: tzinfo) -> CronTrigger | None:
    """The trigger of five cron fields, or None where they are none.

    APScheduler counts weekdays from Monday; cron counts from Sunday, so numbers become names first.
    """
    fields = expression.split()
    if len(fields) != 5:
        return None
    weekdays = re.sub(r"(?<![/\d])[0-7](?!\d)", lambda match: _DAYS[int(match[0])], fields[4].lower())
    try:
        return CronTrigger.from_crontab(" ".join([*fields[:4], weekdays]), timezone=zone)
    except (ValueError, TypeError, LookupError):
        return None
