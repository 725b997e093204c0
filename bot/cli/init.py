"""`python -m bot init`: a configuration to start from."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

import click

from bot.cli.program import FAILED, ProgramCommand, as_called, config_file, config_option, fail
from bot.placeholders import PLACEHOLDER
from bot.system.private_open import PRIVATE
from bot.system.terminal_text import terminal_line

TEMPLATE = "example.toml"
PLACE_OF_ACCOUNTS = "# {accounts}"
# The short configuration has what comes before this line, without the settings in comments.
FIRST_OF_THE_REST = "# [health]"
SETTING_IN_COMMENT = re.compile(r"# [a-z_]+ = ")
REST = """
# Health port, limits, digests, alerts, on-call schedules and targets: `opswatch init --full example.toml` writes an
# example of every setting.
"""
# The people, groups, channels and the time zone of the example, which are hardly ever right.
GUESS = re.compile(r'"(?:U012AB|S0GROUP|C0OPS|#ops|Europe/Dublin)"')
# What a vendor's example says of a line in its comment: `optional` ones can be left out, `required`
# ones hold a value that only the operator knows.
OPTIONAL = re.compile(r"^[^#]*#+ optional\b")
REQUIRED = re.compile(
    r'^(?P<key>\w+ = )(?P<value>"[^"]*"|\[[^\]]*\])(?P<blank> *)(?P<comment># required\b)'
)


def _known_vendors(
    ctx: click.Context, param: click.Parameter, named: tuple[str, ...]
) -> tuple[str, ...]:
    """The kinds of accounts that were named. The vendors are loaded only where one is."""
    if not named:
        return ()
    from providers.registry import registry

    known = [kind for kind, each in registry().providers.items() if each.example]
    for vendor in named:
        if vendor.lower() not in known:
            message = f"{vendor!r} is not one of {', '.join(known)}."
            raise click.BadParameter(message, ctx=ctx, param=param)
    return tuple(vendor.lower() for vendor in named)


@click.command(cls=ProgramCommand)
@config_option
@click.option(
    "--vendor",
    "vendors",
    metavar="VENDOR",
    multiple=True,
    callback=_known_vendors,
    help="Set up accounts of this vendor alone, without guesses; repeatable.",
)
@click.option("--full", is_flag=True, help="With an example of every setting.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def init(config_path: Path | None, vendors: tuple[str, ...], full: bool, file: Path | None) -> None:
    """Write a short configuration to FILE, readable by you alone.

    Without FILE it is written where the other commands read it: --config, else $BOT_CONFIG,
    else ./bot.toml. A file that exists is never overwritten (exit code 2). With --vendor,
    it has accounts of that vendor alone, what can be left out is commented out, and CHANGE-ME
    stands for the rest.

    \b
    Examples:
      python -m bot init
      python -m bot init --vendor VENDOR
      python -m bot init --full example.toml
    """
    target = file or config_file(config_path)
    try:
        write_example(target, vendors, full=full)
    except FileExistsError:
        fail(
            f"{target} exists already; nothing was written. Name another file: `python -m bot "
            "init FILE`"
        )
    except (FileNotFoundError, NotADirectoryError):
        fail(f"The folder {target.parent} does not exist. Create it first.")
    except OSError as error:
        fail(f"{target} cannot be written ({error.strerror or type(error).__name__}).", FAILED)
    click.echo(terminal_line(f"Wrote {target}, readable by you alone. Next:"))
    for line in next_steps(target, has_placeholders=bool(vendors)):
        click.echo(terminal_line(as_called(line)))


def example_config(vendors: Collection[str] = (), *, full: bool = False) -> bytes:
    """The example configuration, with an account of each vendor that brings one: what is needed
    first, or every setting. Where `vendors` are given, only their accounts are active, what is a
    guess is commented out, and what only the operator knows says PLACEHOLDER.
    """
    from importlib import resources

    from providers.registry import registry

    template = (resources.files("bot.cli") / TEMPLATE).read_text("utf-8")
    if not full:
        template = _needed_first(template)
    accounts = {
        kind: each.example.strip() for kind, each in registry().providers.items() if each.example
    }
    if vendors:
        template = "".join(
            _as_comment(line) if GUESS.search(line) and not line.startswith("#") else line
            for line in template.splitlines(keepends=True)
        )
        accounts = {
            kind: _to_fill_in(example) if kind in vendors else _commented_out(example)
            for kind, example in accounts.items()
            if full or kind in vendors
        }
    return template.replace(PLACE_OF_ACCOUNTS, "\n\n".join(accounts.values())).encode()


def _needed_first(template: str) -> str:
    """The template without what most people never set, and where to find it."""
    head, _, _ = template.partition(FIRST_OF_THE_REST)
    lines = [line for line in head.splitlines() if not SETTING_IN_COMMENT.match(line)]
    return "\n".join([*lines, PLACE_OF_ACCOUNTS, REST])


def _as_comment(line: str) -> str:
    """The line as a comment; what follows its value stays in its column."""
    return re.sub(r"   ( *#)", r" \1", f"# {line}", count=1)


def _commented_out(example: str) -> str:
    return "\n".join(
        line if not line or line.startswith("#") else _as_comment(line)
        for line in example.splitlines()
    )


def _to_fill_in(example: str) -> str:
    """The example without its guesses: optional lines and tables as comments, and PLACEHOLDER for
    every required value.
    """
    lines = []
    is_optional_table = False
    for line in example.splitlines():
        is_optional = bool(OPTIONAL.match(line))
        if line.startswith("["):
            is_optional_table = is_optional
        if line and not line.startswith("#") and (is_optional or is_optional_table):
            line = _as_comment(line)
        lines.append(REQUIRED.sub(_placeholder, line))
    return "\n".join(lines)


def _placeholder(match: re.Match[str]) -> str:
    value = f'"{PLACEHOLDER}"'
    if match["value"].startswith("["):
        value = f"[{value}]"
    # The comments stay in their column.
    width = len(match["value"]) + len(match["blank"])
    return f"{match['key']}{value:<{width}}{match['comment']}"


def write_example(target: Path, vendors: Collection[str] = (), *, full: bool = False) -> None:
    """Writes the example to a new file. Raises OSError, FileExistsError where there is something
    already, a link among it.
    """
    content = example_config(vendors, full=full)
    # O_EXCL neither overwrites a file nor follows a link.
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError:
        # Half an example would be refused with problems that nobody has made.
        target.unlink(missing_ok=True)
        raise


def next_steps(target: Path, *, has_placeholders: bool = False) -> list[str]:
    """What to do with the configuration that was written, a line each."""
    # bot.toml is where every command looks anyway.
    option = "" if target == Path("bot.toml") else f" --config {target}"
    accounts = (
        f"replace every {PLACEHOLDER}" if has_placeholders else "keep the accounts that you have"
    )
    return [
        f"1. Edit it: {accounts}, and set under [access] who has access to what.",
        (
            "2. Create the Slack app at api.slack.com/apps, From a manifest: `python -m bot "
            "manifest` prints it."
        ),
        (
            "3. Export SLACK_BOT_TOKEN, SLACK_APP_TOKEN and the variables that the file names as "
            "`env:`."
        ),
        (
            f"4. Run `python -m bot check{option}` until nothing is wrong, then `python -m bot "
            f"run{option}`."
        ),
    ]
