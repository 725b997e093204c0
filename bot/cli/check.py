"""`python -m bot check`: a line for everything that has to work, and how to fix it if it does not."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError

from bot import formatting
from bot.cli.ask import open_question_stores
from bot.cli.check_canvases import CanvasUse, check_canvases
from bot.cli.check_local import few_bytes, free_space, refusals, retention, words_of_alerts
from bot.cli.check_questions import check_questions, is_question
from bot.cli.check_slack import check_clock, check_names, is_ours
from bot.composition.accounts import ProviderRegistry, build_answerer
from bot.config import Settings, read_settings, slack_tokens
from bot.config.toml import read_table
from bot.errors import ConfigError
from bot.questions.registry import COMMANDS
from bot.slack.errors import error_code
from bot.slack.manifest import SCOPES
from bot.slack.web import web_client
from bot.store import Store, StoreError
from bot.store.opening import earlier_steps
from bot.system.private_files import TEMPORARY_FOLDER_HINT, temporary_folder_problem
from bot.targets.sender import Targets
from handlers.subscription_digests import schedule_name
from providers.clock import utc_now
from providers.http.connections import describe_failure, open_session
from providers.models import Check
from providers.redaction import Redactor, Secret
from providers.registry import registry
from providers.sources import Checked

CONFIG_WRONG = 2
PROVIDER_FAILED = 3
LOCAL_CHECKS = frozenset({"configuration", "tokens", "database", "temporary folder", "workspace"})


NO_TEAM = Check(
    "workspace",
    ok=False,
    detail=(
        "The token is that of a whole Enterprise Grid organisation, and no workspace is named in "
        "which channels and user groups are looked up."
    ),
    hint='Set team_id = "T…" under [slack] in bot.toml.',
)
log = logging.getLogger("opswatch")


async def run_checks(
    path: Path, *, environ: Mapping[str, str] = os.environ
) -> tuple[list[Check], int]:
    """Every check, and the exit code for all of them."""
    try:
        settings = read_settings(path, environ=environ)
    except ConfigError as error:
        return [*_as_checks(error), *_plugins(), *_missing_tokens(path, environ)], CONFIG_WRONG
    counted = (
        ("account", settings.providers),
        ("digest", settings.digest),
        ("alert", settings.alert),
    )
    about = formatting.join_words(
        [formatting.pluralise(len(entries), what) for what, entries in counted]
    )
    checks = [Check("configuration", ok=True, detail=f"{path.name} is fine: {about}.")]
    if not settings.providers:
        detail = f"{path.name} has no accounts, so no question can be answered."
        checks = [
            Check("configuration", ok=True, detail=detail, hint="Add an account under [providers].")
        ]
    checks += _plugins()
    checks += _folders(settings)
    checks += retention(settings)
    # Together, since each may wait for a time-out.
    database, canvases = await _database(settings)
    checks += database
    groups = await asyncio.gather(
        _slack(settings, environ, canvases), _accounts(settings), _targets(settings)
    )
    checks += [check for group in groups for check in group]
    # Last, since these are hints and fail nothing.
    checks += few_bytes(settings)
    checks += refusals(settings)
    checks += words_of_alerts(settings)
    return checks, exit_code(checks)


def exit_code(checks: Sequence[Check]) -> int:
    """0 if everything works; 2 if the configuration or the environment is wrong; 3 if another
    service fails.
    """
    failed = [check for check in checks if not check.ok]
    if not failed:
        return 0
    return CONFIG_WRONG if any(_is_local(check) for check in failed) else PROVIDER_FAILED


def _is_local(check: Check) -> bool:
    """Whether the configuration or the environment is at fault, rather than another service."""
    # The names of accounts have no such prefix, and the checks of plug-ins have.
    is_of_plugin = check.name.startswith(("provider ", "providers."))
    return check.name in LOCAL_CHECKS or is_of_plugin or is_question(check) or is_ours(check)


def _folders(settings: Settings) -> list[Check]:
    """Logs on their way to Slack need a folder that can be written."""
    hint = TEMPORARY_FOLDER_HINT
    if problem := temporary_folder_problem():
        return [Check("temporary folder", ok=False, detail=problem, hint=hint)]
    folder = tempfile.gettempdir()
    wanted = settings.limits.upload_total
    return [
        free_space(
            "temporary folder", Path(folder), f"{folder} can be written", hint, wanted=wanted
        )
    ]


async def _database(settings: Settings) -> tuple[list[Check], CanvasUse]:
    """The checks of the database, and how it is used for canvases."""
    if earlier := await earlier_steps(settings.database):
        steps = formatting.pluralise(len(earlier), "step")
        detail = (
            f"The database is of an earlier version; the bot will apply {steps} when it starts."
        )
        hint = "Take a backup first; `python -m bot migrate --dry-run` lists the steps."
        return [Check("database", ok=True, detail=detail, hint=hint)], _as_configured(settings)
    try:
        store = await Store.open(settings.database, now=utc_now())
    except StoreError as error:
        hint = (
            "Check the URL that `database` in bot.toml refers to, and that its server runs."
            if isinstance(settings.database, Secret)
            else "Check `database` in bot.toml and the rights of its folder."
        )
        return [Check("database", ok=False, detail=str(error), hint=hint)], _as_configured(settings)
    # Opened as the bot does, which also creates a new one.
    try:
        canvases = await _canvas_use(store, settings)
    finally:
        await store.close()
    if isinstance(settings.database, Secret):
        return [Check("database", ok=True, detail="PostgreSQL can be used.", hint="")], canvases
    hint = "Make room, or move `database` in bot.toml to another disk."
    space = free_space(
        "database", settings.database.parent, f"{settings.database.name} can be written", hint
    )
    return [space], canvases


def _as_configured(settings: Settings) -> CanvasUse:
    return CanvasUse(any(digest.as_ == "canvas" for digest in settings.digest))


async def _canvas_use(store: Store, settings: Settings) -> CanvasUse:
    wanted = {digest.name for digest in settings.digest if digest.as_ == "canvas"}
    made = await store.subscriptions.subscriptions()
    wanted |= {schedule_name(each) for each in made if each.as_canvas}
    refused = [each for each in await store.canvases.refused() if each.digest in wanted]
    return CanvasUse(bool(wanted), refused)


def _missing_tokens(path: Path, environ: Mapping[str, str]) -> list[Check]:
    """What is wrong with Slack's tokens where the rest of the configuration is wrong, too, so that
    everything can be put right at once.
    """
    try:
        slack = read_table(path).get("slack", {})
    except ConfigError:
        # Without a file, nothing says which tokens are needed.
        return []
    mode = slack.get("mode", "socket") if isinstance(slack, dict) else "socket"
    try:
        slack_tokens(mode if mode in ("socket", "http") else "neither", environ)
    except ConfigError as error:
        return [_wrong_tokens(error)]
    return []


def _wrong_tokens(error: ConfigError) -> Check:
    return Check("tokens", ok=False, detail=str(error), hint=error.hint)


async def _slack(
    settings: Settings, environ: Mapping[str, str], canvases: CanvasUse
) -> list[Check]:
    try:
        tokens = slack_tokens(settings.slack.mode, environ)
    except ConfigError as error:
        return [_wrong_tokens(error)]
    async with open_session(settings.network) as session:
        client = web_client(
            tokens.bot.open(), tokens.api_url, session, team_id=settings.slack.team_id
        )
        try:
            who = await client.auth_test()
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            return [_not_connected(error, tokens.api_url)]
        checks = [
            Check("slack", ok=True, detail=f"Connected as {who.get('user')} in {who.get('team')}.")
        ]
        granted = _granted(str(who.headers.get("x-oauth-scopes", "")))
        scopes = _scopes(granted)
        checks.append(scopes)
        checks += check_canvases(canvases, granted)
        if who.get("is_enterprise_install") and not settings.slack.team_id:
            checks.append(NO_TEAM)
        if settings.slack.mode == "socket":
            checks.append(await _socket(client, tokens.app.open()))
        if clock := check_clock(who.headers.get("date"), utc_now()):
            checks.append(clock)
        if scopes.ok:
            # Without its scopes the bot cannot ask, and the line above says so.
            checks += await check_names(client, settings)
    return checks


def _not_connected(error: Exception, api_url: str) -> Check:
    """Why Slack does not accept the token, or cannot be reached."""
    if isinstance(error, SlackApiError):
        detail = f"Slack refuses the bot token ({error_code(error)})."
        hint = "Check SLACK_BOT_TOKEN; reinstall the app."
        return Check("slack", ok=False, detail=detail, hint=hint)
    failure = describe_failure(error, setting="SLACK_API_URL")
    host = failure.host if failure and failure.host else _host_of(api_url)
    reason = f": {failure.reason}" if failure else ""
    hint = failure.hint if failure else "Check the network, HTTPS_PROXY and SLACK_API_URL."
    detail = f"Slack could not be reached{reason} ({host})."
    return Check("slack", ok=False, detail=detail, hint=hint)


def _host_of(url: str) -> str:
    """Its host and port, without a user and a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _granted(header: str) -> set[str]:
    """The scopes of the token, which Slack lists in a header of each answer ("OAuth scopes")."""
    return {scope.strip() for scope in header.split(",") if scope.strip()}


def _scopes(granted: set[str]) -> Check:
    """Whether the token has all scopes."""
    # A proxy may drop the header, which says nothing about scopes.
    missing = sorted(set(SCOPES) - granted) if granted else []
    if not missing:
        return Check("scopes", ok=True, detail="The token has all scopes that the bot needs.")
    # Who belongs to the workspace is then unknown.
    nobody = " Without users:read, `*` under [access] covers nobody." * ("users:read" in missing)
    return Check(
        "scopes",
        ok=False,
        detail=f"The token lacks {', '.join(missing)}.{nobody}",
        hint="Update the app from manifest.yml and reinstall it.",
    )


async def _socket(client: object, token: str) -> Check:
    try:
        # The address that is issued is not used, and expires.
        await client.apps_connections_open(app_token=token)  # type: ignore[attr-defined]
    except SlackApiError as error:
        return Check(
            "socket",
            ok=False,
            detail=f"Slack refuses the app token ({error_code(error)}).",
            hint="SLACK_APP_TOKEN needs connections:write.",
        )
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        # Slack has answered before, so this may pass.
        failure = describe_failure(error, setting="SLACK_API_URL")
        reason = f": {failure.with_host}" if failure else ""
        detail = f"Socket Mode could not be opened{reason}."
        return Check("socket", ok=False, detail=detail, hint="Run `opswatch check` again.")
    return Check("socket", ok=True, detail="Socket Mode can be opened.")


async def _accounts(settings: Settings) -> list[Check]:
    async with open_question_stores(settings) as stores:
        try:
            opened = ProviderRegistry(settings, Redactor(settings.secrets()), stores.rate_limits)
        except ConfigError as error:
            return _as_checks(error)
        async with aclosing(opened) as accounts:
            found = await asyncio.gather(
                *(_account(name, account) for name, account in accounts.all.items())
            )
            # Only then, since accounts have described the values of their filters.
            answerer = build_answerer(settings, opened, Redactor(settings.secrets()))
            questions = [*check_questions(settings, answerer, utc_now())]
    return [*(check for group in found for check in group), *questions]


async def _targets(settings: Settings) -> list[Check]:
    """The checks of the targets of alerts, none of which calls anybody."""
    if not settings.targets:
        return []
    async with open_session(settings.network) as session:
        redactor = Redactor(settings.secrets())
        targets = Targets(settings.targets, session, settings.network, utc_now, redactor)
        return await asyncio.gather(*(targets.check(name) for name in settings.targets))


async def _account(name: str, account: Checked) -> Sequence[Check]:
    """The checks of an account. A fault in its code is reported as one of its checks, so that it
    does not hide the others.
    """
    try:
        return await account.check()
    except Exception as error:
        # A plug-in may raise anything.
        log.exception("the check of %s failed", name)
        detail = f"The vendor's code failed unexpectedly ({type(error).__name__})."
        return [
            Check(name, ok=False, detail=detail, hint="Report it to the maintainer of its package.")
        ]


def _plugins() -> list[Check]:
    """The plug-ins that were skipped."""
    hint = "Update or uninstall the package."
    return [
        Check(f"{each.what} {each.name}", ok=False, detail=str(each), hint=hint)
        for each in (*registry().problems, *COMMANDS.problems)
    ]


def _as_checks(error: ConfigError) -> list[Check]:
    return [
        Check(problem.key, ok=False, detail=problem.description, hint=error.hint)
        for problem in error.problems
    ]
