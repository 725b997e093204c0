"""`python -m bot manifest`: the Slack app manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click

from bot.cli.program import ProgramCommand, fail

EVENTS_PATH = "/slack/events"


@click.command(cls=ProgramCommand)
@click.option("--config", "config_path", type=click.Path(path_type=Path), hidden=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--mode",
    type=click.Choice(["socket", "http"]),
    default=None,
    help="How Slack reaches the bot; http needs --url.  [default: socket]",
)
@click.option(
    "--url", default="", help="Where a proxy publishes the bot: https://HOST[/BASE_PATH]."
)
@click.option("--org", is_flag=True, help="For a whole Enterprise Grid organisation.")
@click.option("--agent", is_flag=True, help="With Slack's agent surface: people write to the bot.")
@click.option("--workflow", is_flag=True, help="With a step for Slack's Workflow Builder.")
@click.option("--canvas", is_flag=True, help="With digests that are kept in canvases.")
@click.option("--protocol", default="", hidden=True)
@click.option("--boundary", default="", hidden=True)
def manifest(
    config_path: Path | None,  # noqa: ARG001 - every command takes it
    as_json: bool,
    mode: Literal["socket", "http"] | None,
    url: str,
    org: bool,
    agent: bool,
    workflow: bool,
    canvas: bool,
    protocol: str,
    boundary: str,
) -> None:
    """Print the Slack app manifest, generated from the commands.

    \b
    Examples:
      python -m bot manifest > manifest.yml
      python -m bot manifest --mode http --url https://ops.example.com/opswatch
      python -m bot manifest --org --json
      python -m bot manifest --agent --workflow --canvas > manifest.yml
    """
    from bot.slack.manifest import manifest as built
    from bot.slack.manifest import manifest_yaml

    made = built(
        events_url=_events_url(mode, url),
        is_org_app=org,
        is_agent=agent,
        has_step=workflow,
        has_canvases=canvas,
    )
    is_default = not any([url, org, agent, workflow, canvas])
    text = (
        json.dumps(made, ensure_ascii=False)
        if as_json
        else manifest_yaml(None if is_default else made)
    )
    # The Slack CLI finds the answer of a hook between two boundaries where it asks for that
    # protocol.
    if protocol == "message-boundaries" and boundary:
        text = f"{boundary}{text}{boundary}"
    # YAML ends with its own line end.
    click.echo(text, nl=as_json)


def _events_url(mode: str | None, url: str) -> str:
    """Where Slack is to send its requests; nothing for Socket Mode."""
    if mode == "http" and not url:
        fail("--mode http needs --url, such as --url https://ops.example.com")
    if mode == "socket" and url:
        fail("--url is for --mode http; in Socket Mode Slack calls no URL.")
    if not url:
        return ""
    if not _is_public_address(url):
        fail(f"--url takes an address such as https://ops.example.com/opswatch, not {url}.")
    # People paste the base address, or the whole one from Slack's page.
    return url.rstrip("/").removesuffix(EVENTS_PATH) + EVENTS_PATH


def _is_public_address(url: str) -> bool:
    """Whether Slack can call the address: https:// only."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    has_more = parts.username is not None or parts.query or parts.fragment or "?" in url
    return parts.scheme == "https" and has_host and not has_more and url.isprintable()
