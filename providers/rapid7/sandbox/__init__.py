"""A stand-in of Rapid7 Log Search: usage, logs, downloads, and queries in LEQL over its own lines."""

from __future__ import annotations

from providers.rapid7.sandbox.server import Rapid7Sandbox as Rapid7Sandbox
