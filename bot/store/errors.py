"""The errors of the store, whatever its database. Errors of a driver do not leave the store."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used; one sentence says why."""


class Unsuitable(StoreError):
    """The database that was named cannot be used for this: it is missing, damaged, in use, newer,
    or something else.
    """


class StoreUnavailable(StoreError):
    """A statement failed: the disk is full, the database is locked, or its connection is gone.

    Nothing of the transaction was written. Trying again later may help. `cause` is what people in
    Slack are shown of it, where the reason may name the host and role of a database server.
    """

    def __init__(self, reason: str = "", cause: str = "") -> None:
        super().__init__(reason)
        self.cause = cause or reason


class RuleChanged(Exception):
    """Nothing was written: a rule was deleted, or has passed to somebody else, since the access to
    it was checked.
    """


class WriteConflict(StoreUnavailable):
    """Concurrent transactions waited for each other's rows (a deadlock), and this one was rolled
    back. Nothing of it was written; it succeeds when it runs alone.
    """
