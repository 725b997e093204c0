"""The command line of the server."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.program import (
    FAILED,
    ProgramCommand,
    config_file,
    config_option,
    fail,
    is_verbose,
)
from bot.observability.logging_setup import redact_in_logs

if TYPE_CHECKING:
    from bot.cli.mcp.server import McpServer
    from providers.redaction import Secret

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8770
MOST_PORT = 65_535
# Shorter ones can be guessed over a network.
SHORTEST_TOKEN = 16


@click.command(cls=ProgramCommand)
@config_option
@click.option("--user", default=None, help="Apply the access rules as for this person (U…).")
@click.option("--channel", default=None, help="Apply the access rules as for this channel (C…).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where files are saved; without it, answers have the beginning of each file alone.",
)
@click.option(
    "--allow-changes",
    is_flag=True,
    help="Add tools that acknowledge and silence alerts, with the rights of --user.",
)
@click.option("--http", "as_http", is_flag=True, help="Serve streamable HTTP instead of stdio.")
@click.option("--host", default=None, help=f"Where --http listens.  [default: {DEFAULT_HOST}]")
@click.option(
    "--port",
    type=click.IntRange(0, MOST_PORT),
    default=None,
    help=f"The port of --http; 0 takes a free one.  [default: {DEFAULT_PORT}]",
)
@click.option(
    "--token",
    "reference",
    default=None,
    metavar="REFERENCE",
    help="The bearer token that --http asks for: env:NAME or file:PATH.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which --http may be called, in addition to localhost and --host; repeatable.",
)
def mcp(
    config_path: Path | None,
    user: str | None,
    channel: str | None,
    out: Path | None,
    allow_changes: bool,
    as_http: bool,
    host: str | None,
    port: int | None,
    reference: str | None,
    hosts: tuple[str, ...],
) -> None:
    """Answer AI assistants (Model Context Protocol).

    The tools usage, api_audit, logs and alerts are read only. Without --user and --channel they
    answer as for the operator. With --allow-changes there are also acknowledge_alert, silence_alert
    and unsilence_alert; who did it is posted in Slack and logged.

    \b
    Examples:
      python -m bot mcp
      python -m bot mcp --user U012AB --out /tmp
      python -m bot mcp --user U012AB --allow-changes
      python -m bot mcp --http --port 8770
      python -m bot mcp --http --host 0.0.0.0 --allow-host ops.example.com --token env:MCP_TOKEN
    """
    import asyncio

    from bot.cli.ask import refuse_empty_asker
    from bot.cli.exit_codes import report_errors
    from bot.config import read_settings, slack_tokens

    if not as_http and (host or port is not None or reference or hosts):
        fail("--host, --port, --token and --allow-host are for --http.")
    if allow_changes and not user:
        fail("--allow-changes needs --user: a change is made in the name of a person.")
    if allow_changes and as_http and not reference:
        fail("--allow-changes with --http needs a token: --token env:MCP_TOKEN")
    try:
        # An extra package; tried here so that its absence is a sentence and not a traceback.
        import mcp as _sdk  # noqa: F401
    except ImportError:
        fail("MCP needs the extra package: pip install 'opswatch[mcp]'")
    from bot.cli.mcp.server import ToolCalls, build_server

    config = config_file(config_path).resolve()
    with report_errors(as_json=False):
        refuse_empty_asker(user, channel)
        secrets = [*read_settings(config).secrets()]
        if allow_changes:
            # Who may change an alert is looked up in Slack.
            secrets += slack_tokens("neither").secrets()
    token = _token(reference, config.parent) if reference else None
    # The server logs on standard error, which clients show to their users.
    redact_in_logs([*secrets, *([token] if token else [])])
    if not is_verbose():
        logging.getLogger("opswatch").setLevel(logging.WARNING)
        logging.getLogger("opswatch.audit").setLevel(logging.INFO)
    # Turned off for the start only: a server makes garbage for days.
    gc.enable()

    async def serve() -> None:
        calls = ToolCalls(config, user, channel, out, allow_changes)
        await calls.learn_asker()
        server = build_server(calls)
        if as_http:
            await _serve_http(server, host or DEFAULT_HOST, port, token, hosts)
        else:
            from bot.cli.mcp.stdio import serve_stdio

            await serve_stdio(server)

    asyncio.run(serve())


async def _serve_http(
    server: McpServer, host: str, port: int | None, token: Secret | None, hosts: tuple[str, ...]
) -> None:
    from bot.cli.mcp.http import PATH, is_loopback, listening_socket, serve_http

    # Without a token everybody who reaches the port would ask as the operator.
    if token is None and not is_loopback(host):
        fail(
            f"Other machines reach the server at {host}, so it needs a token: --token env:MCP_TOKEN"
        )
    try:
        listening = listening_socket(host, DEFAULT_PORT if port is None else port)
    except OSError as error:
        fail(f"The server cannot listen at {host}: {error.strerror or error}.", FAILED)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Listening at http://{shown}:{listening.getsockname()[1]}{PATH}", err=True)
    # A program that starts the server waits for this line.
    sys.stderr.flush()
    await serve_http(server, listening, hosts=[shown, *hosts], token=token)


def _token(reference: str, folder: Path) -> Secret:
    """The token that the reference names. Ends the command where there is none."""
    from providers.redaction import Secret
    from providers.settings import clean_secret, read_secret_file

    scheme, _, name = reference.partition(":")
    if scheme not in ("env", "file") or not name:
        fail("--token takes a reference, env:NAME or file:PATH, and never the token itself.")
    source = f"the variable {name}" if scheme == "env" else f"the file {name}"
    try:
        given = (
            os.environ.get(name, "") if scheme == "env" else read_secret_file(folder / name, name)
        )
        found = clean_secret(given, source)
    except ValueError as error:
        fail(f"--token cannot be used: {error}.")
    if len(found) < SHORTEST_TOKEN:
        fail(f"--token needs at least {SHORTEST_TOKEN} characters in {source}.")
    return Secret(found)
