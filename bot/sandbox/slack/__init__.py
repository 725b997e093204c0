"""A Slack on loopback: Web API, Socket Mode, response URLs, uploads, and the page. It refuses what
Slack refuses: wrong tokens, blocks over the limits, channels that the bot is not in, a response URL
used six times.
"""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.slack.agent_api import AgentApi
from bot.sandbox.slack.canvas_api import Canvas, CanvasApi
from bot.sandbox.slack.demo_page import DemoPage
from bot.sandbox.slack.directory_api import DirectoryApi
from bot.sandbox.slack.people import INTERIM
from bot.sandbox.slack.records import BOT, Ack, Channel, File, Message, NotConnected, User, View
from bot.sandbox.slack.stream_api import StreamApi
from bot.sandbox.slack.surfaces_api import SurfacesApi
from bot.sandbox.slack.web_api import WebApi

__all__ = [
    "BOT",
    "INTERIM",
    "Ack",
    "Canvas",
    "Channel",
    "File",
    "Message",
    "NotConnected",
    "SlackSandbox",
    "User",
    "View",
]


class SlackSandbox(WebApi, StreamApi, DirectoryApi, SurfacesApi, CanvasApi, AgentApi, DemoPage):
    """One server that people, tests and the bot use."""

    __slots__ = ()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/{method}", self._method),
            web.get("/api/{method}", self._method),
            web.get("/socket/{ticket}", self._socket),
            web.post("/response/{id}", self._response),
            web.post("/upload/{id}", self._upload),
            web.get("/", self._page),
            web.get("/page/{name}", self._page),
            web.get(r"/archives/{channel:\w+}/{message}", self._archive),
            web.get("/state", self._state),
            web.get("/events", self._events),
            web.get("/files/{id}", self._file),
            web.post("/do/command", self._do_command),
            web.post("/do/thread", self._do_thread),
            web.post("/do/press", self._do_press),
            web.post("/do/home", self._do_home),
            web.post("/do/view", self._do_view),
            web.post("/do/shortcut", self._do_shortcut),
            web.post("/do/options", self._do_options),
            web.post("/do/fault", self._do_fault),
        ]
