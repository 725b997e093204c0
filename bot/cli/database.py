"""The commands for the database: `backup`, `restore`, `migrate` and `forget`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import formatting
from bot.cli.program import (
    FAILED,
    WRONG,
    ProgramCommand,
    as_called,
    config_file,
    config_option,
    fail,
)
from bot.system.terminal_text import terminal_line
from providers.clock import utc_now

if TYPE_CHECKING:
    from providers.redaction import Secret

# U for people, W for those of an Enterprise Grid organisation.
_PERSON = re.compile(r"[UW][A-Z0-9]{2,40}")


@click.command(cls=ProgramCommand)
@config_option
@click.option("--force", is_flag=True, help="Overwrite FILE where it exists.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(config_path: Path | None, force: bool, file: Path) -> None:
    """Copy the database to FILE while the bot runs.

    The copy is the database at one instant, is verified (integrity and row counts), and appears at
    FILE only when it is complete. FILE is readable by you alone and holds what people asked: keep
    it as safe as the database.

    Exit codes: 0 done; 2 FILE exists (see --force), or there is no database; 1 the copy failed.

    \b
    Examples:
      python -m bot backup /var/backups/opswatch.sqlite
      python -m bot backup --force --config /etc/opswatch/bot.toml /var/backups/opswatch.sqlite
    """
    from bot.store.sqlite.files import back_up

    database = _database_file(
        config_path, "Back it up with the server's own tools, such as pg_dump."
    )
    with _failures(f"{file.parent} cannot be written"):
        try:
            copied = back_up(database, file, overwrite=force)
        except FileExistsError:
            fail(f"{file} exists already; nothing was written. Add --force to overwrite it.")
        except (FileNotFoundError, NotADirectoryError):
            fail(f"The folder {file.parent} does not exist. Create it first.")
    _print(
        f"Wrote {file}: {formatting.format_bytes(copied.size)}, "
        f"{formatting.pluralise(sum(copied.rows.values()), 'row')}, verified."
    )


@click.command(cls=ProgramCommand)
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(config_path: Path | None, file: Path) -> None:
    """Replace the database with a backup.

    The bot must be stopped. FILE is verified first and stays where it is. The earlier database
    is kept next to the new one. A backup of an older version is brought up to date at the next
    start; one of a newer version is refused.

    Exit codes: 0 done; 2 FILE is not a complete backup, or the database is in use; 1 the copy
    failed.

    \b
    Examples:
      python -m bot restore /var/backups/opswatch.sqlite
    """
    from bot.store.sqlite.files import restore as put_back

    database = _database_file(
        config_path, "Restore it with the server's own tools, such as pg_restore."
    )
    with _failures(f"{database.parent} cannot be written"):
        restored = put_back(file, database, now=utc_now())
    _print(
        f"Restored {database} from {file}: "
        f"{formatting.pluralise(sum(restored.copy.rows.values()), 'row')}, verified."
    )
    if restored.kept:
        _print(f"The earlier database is kept as {restored.kept}.")


@click.command(cls=ProgramCommand)
@config_option
@click.option("--dry-run", is_flag=True, help="Show what would be done, without changing anything.")
@click.option(
    "--to",
    "target",
    metavar="env:NAME",
    default="",
    help="Move the SQLite file to the PostgreSQL database of this URL.",
)
def migrate(config_path: Path | None, dry_run: bool, target: str) -> None:
    """Bring the database up to this version.

    The bot does so by itself when it starts. Take a backup first: a database of a newer version
    is refused unless that version has only added to it. With --to, the rows of the SQLite file
    are copied to an empty PostgreSQL database, table by table, each verified by its count and a
    checksum. Stop the bot first. A move that was interrupted is continued by the same command.
    The file is not changed, so that you can go back to it.

    Exit codes: 0 done, or nothing to do; 2 the database is in use, newer, or not an Opswatch
    database, or the server has rows already; 1 the move failed.

    \b
    Examples:
      python -m bot migrate --dry-run
      python -m bot backup before-upgrade.sqlite && python -m bot migrate
      python -m bot migrate --to env:DATABASE_URL
    """
    if target:
        _move(config_path, target, dry_run=dry_run)
        return
    location = _location(config_path)
    if isinstance(location, Path):
        _migrate_file(location, dry_run=dry_run)
    else:
        _migrate_server(location, dry_run=dry_run)


def _migrate_file(database: Path, *, dry_run: bool) -> None:
    from bot.store.sqlite.files import applied_steps, known_steps, require_database, require_unused

    with _failures(f"{database.name} cannot be changed"):
        applied: list[str] = []
        is_new = not database.exists()
        if not is_new:
            require_database(database)
            applied = applied_steps(database)
        elif not database.parent.is_dir():
            fail(
                f"There is no folder {database.parent} for the database. Create it, or correct "
                "`database` in bot.toml."
            )
        pending = {name: about for name, about in known_steps().items() if name not in applied}
        if is_new and dry_run:
            _print(
                f"There is no database {database} yet. The bot creates it when it starts; if there "
                "should be one, correct `database` in bot.toml."
            )
        if pending and not dry_run:
            # A running bot would continue to use tables that change under it.
            require_unused(database)
            _open_and_close(database)
        _print_steps(str(database), pending, dry_run=dry_run)


def _migrate_server(url: Secret, *, dry_run: bool) -> None:
    with _failures("the database cannot be changed"):
        pending = _postgres("connection").pending_steps(url.open())
        if pending and not dry_run:
            _open_and_close(url)
        _print_steps("The PostgreSQL database", dict.fromkeys(pending, ""), dry_run=dry_run)


def _print_steps(database: str, pending: Mapping[str, str], *, dry_run: bool) -> None:
    if not pending:
        _print(f"{database} is up to date; there is nothing to do.")
        return
    was = "was" if len(pending) == 1 else "were"
    done = "would be" if dry_run else was
    _print(f"{database}: {formatting.pluralise(len(pending), 'step')} {done} applied.")
    for name, about in pending.items():
        _print(f"  {name}{about and ': '}{about}")


def _move(config_path: Path | None, target: str, *, dry_run: bool) -> None:
    """Moves the file to a server."""
    from bot.config.reading import read_server_url
    from bot.store.sqlite.files import require_database, require_unused

    url = read_server_url(target, config_file(config_path))
    database = _database_file(config_path, "There is no file to move.")
    with _failures(f"{database.name} cannot be read"):
        move = _postgres("move")
        # The server's tables are of this version.
        require_database(database, exact=True)
        if dry_run:
            counts = move.row_counts(database)
            _print(f"{formatting.pluralise(sum(counts.values()), 'row')} would be moved:")
            for name, count in counts.items():
                _print(f"  {name}: {count:,}")
            return
        require_unused(database)
        # Both have the tables of this version.
        _open_and_close(database)
        # An unfinished move must find the tables as it left them.
        if not move.is_unfinished(url.open()):
            _open_and_close(url)
        moved = move.move(database, url.open(), on_moved=_print_moved)
    _print(f"Moved {formatting.pluralise(sum(table.rows for table in moved), 'row')}.")
    _print(f'Now set database = "{target}" in bot.toml and start the bot.')
    _print(
        f"{database} was not changed. To go back, set database to it again; what is stored after "
        "the move is only on the server."
    )


def _postgres(name: str) -> Any:
    """A module of the store that needs the driver."""
    from importlib import import_module

    from bot.store import StoreError

    try:
        return import_module(f"bot.store.postgres.{name}")
    except ImportError:
        raise StoreError(
            "PostgreSQL needs the extra package: pip install 'opswatch[postgres]'."
        ) from None


def _print_moved(table: Any) -> None:
    how = "moved before" if table.was_there else "verified"
    _print(f"  {table.name}: {formatting.pluralise(table.rows, 'row')}, {how}")


@click.command(cls=ProgramCommand)
@config_option
@click.option(
    "--hand-over",
    metavar="USER",
    default="",
    help="Who takes over the person's active alerts and subscriptions.",
)
@click.argument("user")
def forget(config_path: Path | None, hand_over: str, user: str) -> None:
    """Erase what is stored about a person.

    The bot must be stopped, on a server in all processes. USER is a Slack member ID (U… or W…). This deletes the person's
    questions, private answers and direct messages, what they wrote about silences, and the
    stored text of sent messages that name them or that their alerts and subscriptions posted.
    Anywhere else their ID is replaced by U0FORGOTTEN, and the file, or each changed table on a
    PostgreSQL server, is rewritten so that nothing deleted is left in it. Alerts and subscriptions belong to the team and stay: handed over,
    or else paused, as after anybody's departure. Somebody else may end them or create them anew.

    Not covered: messages in Slack, backups and write-ahead logs taken before, logs, and bot.toml,
    which is yours to edit.

    It cannot be undone.

    Exit codes: 0 done, even where nothing was stored; 2 wrong ID, or the database is in use.

    \b
    Examples:
      python -m bot forget U012AB
      python -m bot forget U012AB --hand-over U034CD
    """
    for given in filter(None, (user, hand_over)):
        if not _PERSON.fullmatch(given):
            fail(
                f"{given} is not a Slack member ID such as U012AB; copy it from the person's "
                "profile in Slack."
            )
    if user == hand_over:
        fail("A person cannot take over from themselves.")
    path = config_file(config_path)
    location = _location(config_path)
    with _failures("The database cannot be changed"):
        if isinstance(location, Path):
            from bot.store.sqlite.erase import erase_person

            erased = erase_person(location, user, heir=hand_over)
        else:
            erased = _postgres("erase").erase_person(location.open(), user, heir=hand_over)
    _print_erased(erased, user, hand_over)
    # The file is the operator's, so it is named and not edited.
    if re.search(rf"\b{user}\b", path.read_text("utf-8-sig")):
        _print(f"{path} still names {user}; take it out there.")


def _print_erased(erased: Any, user: str, hand_over: str) -> None:
    if erased.is_empty:
        _print(f"Nothing was stored about {user}.")
    for done, counts in (("deleted", erased.deleted), ("anonymised", erased.changed)):
        for what, number in counts.items():
            if number:
                _print(f"{done}: {number} in {what}")
    made = [
        *(f"alert {name}" for name in erased.alerts),
        *(f"subscription {number}" for number in erased.subscriptions),
    ]
    if made:
        _print(
            f"{'Handed over to ' + hand_over if hand_over else 'Paused at the next start'}: "
            f"{', '.join(made)}."
        )


def _location(config_path: Path | None) -> Path | Secret:
    """Where the database is. The secrets of the configuration are not needed for this, so they may
    be missing.
    """
    from bot.config import read_database_location

    return read_database_location(config_file(config_path))


def _database_file(config_path: Path | None, advice: str) -> Path:
    """The database where it is a file; ends the command with `advice` where it is on a server."""
    location = _location(config_path)
    if not isinstance(location, Path):
        fail(f"The database is on a PostgreSQL server. {advice}")
    return location


def _open_and_close(location: Path | Secret) -> None:
    """Migrates a database as the bot does when it starts."""
    import asyncio

    from bot.store import Store

    async def open_and_close() -> None:
        await (await Store.open(location, now=utc_now())).close()

    asyncio.run(open_and_close())


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Shows an error as a sentence and exits with its code."""
    from bot.store.errors import StoreError, Unsuitable

    try:
        yield
    except StoreError as error:
        # What the operator chose wrongly is 2, what went wrong is 1.
        fail(str(error), WRONG if isinstance(error, Unsuitable) else FAILED)
    except OSError as error:
        fail(f"{what} ({error.strerror or os.strerror(error.errno or 0)}).", FAILED)


def _print(text: str) -> None:
    click.echo(terminal_line(as_called(text)))
