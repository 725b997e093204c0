"""Data about people, which `opswatch forget` erases."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store import NewSilence, Store


async def store_data_about_ada(store: Store, now: datetime) -> None:
    """Stores an answer, a subscription, an alert and a silence of hers, and an alert of Linus."""
    await store.answers.save(
        "t1", user="U0ADA", channel="C0OPS", command="usage", text="secret", blocks=[], now=now
    )
    await store.subscriptions.subscribe(
        channel="C0OPS", line="/usage", cron="0 9 * * *", said="at 09:00", user="U0ADA", now=now
    )
    for user in ("U0ADA", "U0LINUS"):
        await store.rules.add_rule(
            name=f"of-{user}", command="usage", channel="C0OPS", rule="{}", user=user, now=now
        )
    await store.silences.silence(
        NewSilence("of-U0LINUS", now, now + timedelta(hours=1), "call Ada", "U0ADA")
    )
