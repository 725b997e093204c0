"""What can go wrong with the database, whichever it is. Errors of a driver do not leave the store."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used; one sentence says why."""


class StoreUnavailable(StoreError):
    """A statement failed: the disk is full, the database is locked, or its connection is gone.

    Nothing of the transaction was written. Trying again later may help.
    """
