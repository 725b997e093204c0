"""What PostgreSQL's driver says about a failure: in full for operators, and a few words for people."""

from __future__ import annotations

from providers.http import causes

# libpq and psycopg have no codes for a connection that failed, only these words.
_CAUSES = (
    ("failed to resolve host", causes.UNKNOWN_HOST.reason),
    ("could not translate host name", causes.UNKNOWN_HOST.reason),
    ("refused", causes.REFUSED.reason),
    ("timeout expired", causes.TIMED_OUT.reason),
    ("timed out", causes.TIMED_OUT.reason),
    ("no route to host", causes.NO_ROUTE.reason),
    ("network is unreachable", causes.NO_ROUTE.reason),
    ("certificate verify failed", "its certificate is not trusted"),
    ("does not support ssl", causes.NO_TLS.reason),
    ("password authentication failed", "the password was not accepted"),
    ("no password supplied", "a password is missing"),
    ("no pg_hba.conf entry", "the server does not admit this machine and role"),
    ("too many connections", "the server has no connection left"),
    ("too many clients", "the server has no connection left"),
    ("remaining connection slots", "the server has no connection left"),
    ("starting up", "the server is starting"),
    ("shutting down", "the server is stopping"),
    ("does not exist", "the database or role does not exist"),
)


def first_line(error: Exception) -> str:
    """What a driver's error says, without values of the statement."""
    # The other lines may quote values of the statement.
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def cause_of(reason: str) -> str:
    """The cause in a reason why there is no connection, without the host, port and role that
    psycopg names.
    """
    shown = reason.lower()
    return next((cause for words, cause in _CAUSES if words in shown), "no connection")
