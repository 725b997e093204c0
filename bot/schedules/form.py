"""The form of a subscription, read from its values (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bot.errors import BadQuestion
from bot.questions.form import QUESTION, FormValues
from bot.questions.windows import WEEKDAYS
from bot.schedules.recurrence import Days, recurrence_at
from bot.schedules.subscribe import Subscribe

TIME = "time"
DAYS = "days"
FORM = "as"
# What people read for each form of a digest, by its value.
FORM_LABELS: Mapping[str, str] = MappingProxyType(
    {"message": "A message each time", "canvas": "A canvas that is kept up to date"}
)
USUAL_TIME = "09:00"
USUAL_DAYS = "weekdays"
_CHOICES: Mapping[str, Days] = MappingProxyType(
    {
        "every day": Days(),
        "weekdays": Days(weekdays=(0, 1, 2, 3, 4)),
        "weekends": Days(weekdays=(5, 6)),
        **{f"{name}s": Days(weekdays=(number,)) for number, name in enumerate(WEEKDAYS)},
        "the 1st": Days(of_month=(1,)),
    }
)
# What people read for each choice of days, by its value.
DAY_LABELS: Mapping[str, str] = MappingProxyType(
    {name: name[0].upper() + name[1:] for name in _CHOICES} | {"the 1st": "The 1st of the month"}
)
# As Slack sends the value of a time picker.
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def read_subscription_form(values: FormValues) -> Subscribe:
    """The subscription that was filled in. Raises BadQuestion that names the input."""
    time = _TIME.fullmatch(values.get(TIME, ""))
    if time is None:
        raise BadQuestion("Choose a time of day.", field=TIME)
    # The form may be older than this version.
    days = _CHOICES.get(values.get(DAYS, ""))
    if days is None:
        raise BadQuestion("Choose the days.", field=DAYS)
    found = recurrence_at(int(time[1]), int(time[2]), days)
    return Subscribe(
        values.get(QUESTION, ""),
        found.cron,
        found.description,
        found.description,
        as_canvas=values.get(FORM) == "canvas",
    )
