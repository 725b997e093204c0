"""Whether digests can be kept in canvases."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from bot import formatting
from bot.slack.canvases import UNAVAILABLE
from bot.slack.manifest import CANVAS_SCOPES
from bot.store import StoredCanvas
from providers.models import Check


class CanvasUse(Struct, frozen=True):
    """Whether a digest is to be kept in a canvas, and those that Slack has refused."""

    is_wanted: bool
    refused: Sequence[StoredCanvas] = ()


def check_canvases(use: CanvasUse, granted: Collection[str]) -> list[Check]:
    """A check of the scopes that canvases need, and one for each that Slack has refused; nothing if
    no digest is kept in a canvas.
    """
    if not use.is_wanted:
        return []
    # A proxy may drop the header with the scopes, which says nothing about them.
    missing = sorted(set(CANVAS_SCOPES) - set(granted)) if granted else []
    if missing:
        detail = (
            f"The token lacks {formatting.join_words(missing)}, so digests are posted as messages."
        )
        hint = "Update the app from `opswatch manifest --canvas` and reinstall it."
        return [Check("canvases", ok=False, detail=detail, hint=hint)]
    refused = [each for each in use.refused if each.problem != "missing_scope"]
    if not refused:
        return [Check("canvases", ok=True, detail="The token has the scopes for canvases.")]
    return [
        Check(
            f"canvas of {each.digest}",
            ok=False,
            detail=(
                "Its digest is posted as a message, since "
                f"{UNAVAILABLE.get(each.problem, each.problem)} ({each.problem})."
            ),
            hint="Change that in Slack, or leave `as canvas` out.",
        )
        for each in refused
    ]
