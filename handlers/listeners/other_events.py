"""Events that are of no use here, such as the channel that a person looks at beside a thread."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncApp


async def ignore() -> None:
    """Does nothing. Bolt would answer 404, and Slack then deliver the event three times more."""


def register(app: AsyncApp) -> None:
    """Accepts every event that no listener before takes. An app may be subscribed to more than its
    manifest asks for: Slack's settings add events of their own with the agent surface.
    """
    app.event(re.compile(".*"))(ignore)
