"""The demo page in a real browser: type, see the answer, press its buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from bot.sandbox.demo import open_demo
from bot.sandbox.sandbox import Sandbox
from tests.browser import CHROMIUM, open_page, say
from tests.conftest import ROOT

# The default of five seconds is too short for a busy machine.
expect.set_options(timeout=30_000)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"
)


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_demo(tmp_path) as sandbox:
        yield sandbox


@pytest.fixture
async def page(demo: Sandbox, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    async with open_page(demo.slack.url) as opened:
        yield opened
        folder = ROOT / "artifacts"
        folder.mkdir(exist_ok=True)
        await opened.screenshot(path=folder / f"{request.node.name}.png")


@pytest.fixture
async def phone(demo: Sandbox) -> AsyncIterator[Page]:
    async with open_page(demo.slack.url, width=420, height=860) as opened:
        yield opened


async def test_page_draws_all_blocks(page: Page) -> None:
    await say(page, "/usage last 7 days")
    answer = page.locator("article", has=page.locator(".app")).last
    await expect(answer.locator(".header")).to_contain_text("in 7 days")
    assert await answer.locator("svg rect").count() == 7
    await expect(answer.locator(".pager")).to_contain_text("1–3 of 7")
    assert await answer.locator(".fields > div").count() >= 4
    await expect(answer.get_by_role("button", name="30 days")).to_be_visible()


async def test_button_asks_the_next_question(page: Page) -> None:
    await say(page, "/usage last 7 days")
    await page.get_by_role("button", name="30 days").click()
    await expect(page.locator(".header").last).to_contain_text("of 30 days")


async def test_table_sorts_and_pages(page: Page) -> None:
    await say(page, "/usage 30d")
    table = page.locator(".table").last
    await table.get_by_role("button", name="More ›").click()
    await expect(table.locator(".pager")).to_contain_text("4–6 of 30")
    await table.get_by_role("button", name="Usage", exact=True).click()
    sizes = await table.locator("td.number").all_text_contents()
    assert sizes[0].endswith("GB")


async def test_private_answer_is_invisible_to_others(page: Page) -> None:
    await say(page, "/apiaudit 24h")
    await expect(page.locator(".only")).to_have_text("Only visible to you")
    await expect(page.get_by_role("button", name="Share here")).to_be_visible()
    await page.select_option("#user", "U0LINUS")
    await expect(page.locator("article")).to_have_count(0)


async def test_log_has_preview_and_download(page: Page) -> None:
    await say(page, "/logs kitchen 2h")
    link = page.locator(".file a")
    await expect(link).to_contain_text(".log")
    async with page.expect_download() as download:
        await link.click()
    content = Path(await (await download.value).path()).read_bytes()
    assert content.count(b"\n") > 2000
    assert b"Tr0ub4dor" not in content


async def test_canvas_is_a_tab_of_its_channel(page: Page) -> None:
    await say(page, "/usage subscribe last 7 days as canvas at 09:00")
    tab = page.get_by_role("tab", name="/usage last 7 days")
    await tab.click()
    await expect(page.locator("#canvas")).to_contain_text("First on")
    await expect(page.locator("#canvas code").last).to_have_text("subscription 1")
    await expect(page.locator("#composer")).to_be_hidden()
    assert await problems_of(page) == []
    await page.get_by_role("tab", name="Messages").click()
    await expect(page.locator("#composer")).to_be_visible()


async def test_filters_are_searched_in_the_form(page: Page) -> None:
    await page.click("#ask")
    await page.locator("#modal").get_by_role("button", name="Fill in…").nth(1).click()
    await page.fill("#in-filters", "failures 5x")
    offered = page.locator("#in-filters-options option")
    await expect(offered.first).to_have_attribute("value", "failures status:5xx")
    await expect(offered.nth(1)).to_have_attribute("value", "failures response_class:5xx")


async def test_composer_completes_commands(page: Page) -> None:
    await page.fill("#text", "/lo")
    await expect(page.locator("#suggestions li")).to_have_count(1)
    await page.press("#text", "Tab")
    assert await page.input_value("#text") == "/logs "


async def test_home_shows_the_app_home(page: Page) -> None:
    await page.get_by_role("button", name="Opswatch Home").click()
    await expect(page.locator("#home")).to_contain_text("Accounts")


async def test_home_updates_as_accounts_answer(page: Page) -> None:
    await page.click("#open-home")
    await expect(page.locator("#home")).to_contain_text("no requests since the bot started")
    await page.get_by_role("button", name="Check now").click()
    for words in ("Rapid7 answers for Ada's Kitchen.", "Akamai offers", "deviceWISE answers as"):
        await expect(page.locator("#home")).to_contain_text(words)


async def test_behind_the_scenes_shows_requests_and_raw_blocks(page: Page) -> None:
    await say(page, "/usage last 7 days")
    await expect(page.locator("article .header")).to_be_visible()
    await page.get_by_role("button", name="raw").last.click()
    await expect(page.locator("#raw")).to_contain_text("data_visualization")
    await expect(
        page.locator("#requests li", has_text="/usage/organizations").first
    ).to_be_visible()
    await expect(
        page.locator("#requests li", has_text="/api/chat.postMessage").first
    ).to_be_visible()


async def test_provider_fault_gives_a_clear_error(page: Page) -> None:
    await page.get_by_role("button", name="Behind the scenes").click()
    await page.select_option("#fault", "401")
    await page.get_by_role("button", name="Misbehave").click()
    await say(page, "/usage today")
    await expect(page.locator("article").last).to_contain_text("did not accept the key")


async def misbehaves(page: Page, server: str, fault: str) -> None:
    await page.get_by_role("button", name="Behind the scenes").click()
    await page.select_option("#fault-server", server)
    await page.select_option("#fault", label=fault)
    async with page.expect_response("**/do/fault"):
        await page.get_by_role("button", name="Misbehave").click()


async def test_older_slack_shows_picture_and_table(page: Page) -> None:
    await misbehaves(page, "slack", "stop supporting charts, tables and tasks")
    await say(page, "/usage last 7 days")
    answer = page.locator("article", has=page.locator(".app")).last
    await expect(answer.locator("figure img")).to_be_visible()
    await expect(answer.locator("table tbody tr")).to_have_count(7)


async def test_post_without_reply_is_not_repeated(page: Page) -> None:
    await misbehaves(page, "slack", "accept a post without answering")
    await say(page, "/usage last 7 days")
    await expect(page.locator("article").last).to_contain_text("did not confirm the message")
    await expect(page.locator(".header")).to_have_count(1)


async def test_refused_file_is_reported(page: Page) -> None:
    await misbehaves(page, "slack", "reject one file")
    await say(page, "/usage last 7 days csv")
    await expect(page.locator("article").last).to_contain_text(
        "could not be sent (storage_limit_reached)"
    )


async def test_repeated_command_is_answered_once(page: Page, demo: Sandbox) -> None:
    await misbehaves(page, "slack", "deliver the next command twice")
    await say(page, "/usage last 7 days")
    await say(page, "/usage last 3 days")
    await expect(page.locator(".header", has_text="in 3 days")).to_have_count(1)
    await expect(page.locator(".header", has_text="in 7 days")).to_have_count(1)


async def test_cut_connection_is_reopened(page: Page, demo: Sandbox) -> None:
    # The bot is not to be back before the command is sent.
    demo.slack.dead_addresses = 1000
    await misbehaves(page, "slack", "cut the connection")
    await say(page, "/usage last 7 days")
    await expect(page.locator("article").last).to_contain_text(
        "/usage failed with the error “dispatch_failed”"
    )
    demo.slack.dead_addresses = 0
    await demo.slack.until(lambda: [s for s in demo.slack.sockets if not s.closed], timeout_s=60)
    await say(page, "/usage last 3 days")
    await expect(page.locator(".header")).to_contain_text("in 3 days")


async def test_hostile_text_is_drawn_as_text(page: Page, demo: Sandbox) -> None:
    demo.rapid7.lines = lambda *_: iter(['<img src=x onerror="alert(1)"> <!channel> `x`'] * 3)
    await say(page, "/logs kitchen")
    await expect(page.locator("article pre").first).to_contain_text("<img src=x")
    assert await page.locator(".ping").count() == 0


SQUARE = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'><rect "
    "width='40' height='40'/></svg>"
)
EVERY_BLOCK: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "A header"}},
    {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* _italic_ `code` &lt;text&gt;"}},
    {
        "type": "section",
        "fields": [
            {"type": "mrkdwn", "text": "*Left*\n1"},
            {"type": "mrkdwn", "text": "*Right*\n2"},
        ],
    },
    {"type": "context", "elements": [{"type": "plain_text", "text": "small print"}]},
    {"type": "divider"},
    {
        "type": "image",
        "image_url": SQUARE,
        "alt_text": "a square",
        "title": {"type": "plain_text", "text": "A square"},
    },
    {
        "type": "table",
        "rows": [
            [{"type": "raw_text", "text": "Name"}],
            [
                {
                    "type": "rich_text",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [{"type": "text", "text": "oven"}],
                        }
                    ],
                }
            ],
        ],
    },
    {
        "type": "data_table",
        "caption": "Numbers",
        "rows": [
            [{"type": "raw_text", "text": "N"}],
            [{"type": "raw_number", "value": 7, "text": "seven"}],
        ],
    },
    {
        "type": "data_visualization",
        "title": "A chart",
        "chart": {
            "type": "line",
            "series": [
                {"name": "s", "data": [{"label": "a", "value": 1}, {"label": "b", "value": 3}]}
            ],
            "axis_config": {"categories": ["a", "b"], "y_label": "GB"},
        },
    },
    {
        "type": "task_card",
        "task_id": "t1",
        "title": "A task",
        "status": "in_progress",
        "details": {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "so far"}]}
            ],
        },
    },
    {
        "type": "plan",
        "title": "A plan",
        "tasks": [
            {"type": "task_card", "task_id": "t2", "title": "Its first part", "status": "complete"},
            {"type": "task_card", "task_id": "t3", "title": "Its second part", "status": "error"},
        ],
    },
    {
        "type": "actions",
        "elements": [
            {"type": "button", "text": {"type": "plain_text", "text": "Press me"}, "action_id": "x"}
        ],
    },
]


async def test_every_kind_of_block_is_drawn(page: Page, demo: Sandbox) -> None:
    from slack_sdk.web.async_client import AsyncWebClient

    client = AsyncWebClient(token=demo.slack.bot_token, base_url=f"{demo.slack.url}/api/")
    await client.chat_postMessage(channel="C0OPS", text="all of them", blocks=EVERY_BLOCK)
    answer = page.locator("article").last
    await expect(answer.locator(".header")).to_have_text("A header")
    await expect(answer.locator("strong").first).to_have_text("bold")
    await expect(answer.get_by_text("<text>")).to_be_visible()
    await expect(answer.locator(".fields > div")).to_have_count(2)
    await expect(answer.locator(".context")).to_have_text(["small print", "so far"])
    await expect(answer.locator("hr")).to_have_count(1)
    await expect(answer.get_by_alt_text("a square")).to_be_visible()
    await expect(answer.locator("td")).to_have_text(["oven", "seven"])
    await expect(answer.locator("svg polyline")).to_have_count(1)
    await expect(answer.get_by_role("img", name="in progress")).to_be_visible()
    await expect(answer.locator(".task")).to_have_text(
        ["A taskso far", "Its first part", "Its second part"]
    )
    await expect(answer.locator(".plan")).to_contain_text("A plan")
    await expect(answer.get_by_role("button", name="Press me")).to_be_visible()


async def problems_of(page: Page) -> list[str]:
    """The problems that axe-core finds on the page in its current state."""
    found = await Axe().run(page)
    return [
        f"{each['id']} ({each['impact']}): {[node['html'][:120] for node in each['nodes']][:3]}"
        for each in found.response["violations"]
    ]


async def test_everybody_can_use_the_page(page: Page, demo: Sandbox) -> None:
    """axe-core checks answers, a table, a file, a private answer, the panel, a form with an error,
    and App Home.
    """
    await say(page, "/usage 30d csv")
    await expect(page.locator(".file")).to_be_visible()
    await say(page, "/apiaudit nonsense")
    await expect(page.get_by_text("Only visible to you").first).to_be_visible()
    await page.click("#toggle-wire")
    assert await problems_of(page) == []
    await page.get_by_role("button", name="Alert me…").first.click()
    await page.fill("#in-threshold", "much")
    await page.click("#modal-submit")
    await expect(page.get_by_role("alert")).to_contain_text("is not a threshold")
    assert await problems_of(page) == []
    await page.keyboard.press("Escape")
    await expect(page.locator("#modal")).not_to_be_visible()
    await page.click("#open-home")
    await expect(page.locator("#home")).to_contain_text("Accounts")
    assert await problems_of(page) == []


async def test_everybody_can_use_the_forms(page: Page) -> None:
    """The forms of each command, with comparisons, filters and logs, and the one for schedules."""
    for number, label in enumerate(("Compared with", "More filters", "Only lines that match")):
        await page.click("#ask")
        await page.locator("#modal").get_by_role("button", name="Fill in…").nth(number).click()
        await expect(page.get_by_label(label)).to_be_visible()
        assert await problems_of(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator("#modal")).not_to_be_visible()
    await say(page, "/usage this month vs last month")
    await page.get_by_role("button", name="Repeat…").last.click()
    await expect(page.locator("#modal-title")).to_have_text("Subscribe")
    assert await problems_of(page) == []


async def test_everybody_can_use_the_phone_page(phone: Page) -> None:
    """In dark mode: channels, saved questions, alerts on Home and their buttons."""
    await phone.emulate_media(color_scheme="dark")
    await say(phone, "/usage save last 7 days as morning")
    await say(phone, "/usage alert today above 1 B every 1m")
    await expect(phone.get_by_role("button", name="Acknowledge")).to_be_visible(timeout=60_000)
    await phone.get_by_role("button", name="Channels and people").click()
    await expect(phone.locator("#side")).to_be_in_viewport()
    assert await problems_of(phone) == []
    await phone.click("#open-home")
    await expect(phone.locator("#home")).to_contain_text("Saved questions")
    await expect(phone.locator("#home .dot.red").first).to_be_visible()
    assert await problems_of(phone) == []


async def test_form_is_tested_and_saved(page: Page, demo: Sandbox) -> None:
    await say(page, "/usage today")
    await page.get_by_role("button", name="Alert me…").click()
    await page.fill("#in-threshold", "1 GB")
    await page.fill("#in-as", "pantry")
    await page.get_by_role("button", name="Try it on the last 90 days").click()
    await expect(page.locator("#modal")).to_contain_text("would have fired")
    assert await page.input_value("#in-as") == "pantry"
    await page.click("#modal-submit")
    await expect(page.get_by_text("created: bytes of")).to_be_visible()


async def test_reply_in_thread_asks_again(page: Page) -> None:
    await say(page, "/usage last 7 days")
    answer = page.locator("article", has=page.locator(".app")).last
    await answer.hover()
    await answer.get_by_role("button", name="reply").click()
    await page.get_by_label("Reply in the thread").press("End")
    await page.get_by_label("Reply in the thread").type("last 3 days")
    await page.keyboard.press("Enter")
    await expect(page.locator(".thread .header")).to_contain_text("in 3 days")


async def test_global_shortcut_searches_a_log(page: Page) -> None:
    await page.click("#ask")
    await page.locator("#modal").get_by_role("button", name="Fill in…").last.click()
    await page.fill("#in-log", "pan")
    await expect(page.locator("#in-log-options option")).to_have_count(1)
    await page.fill("#in-log", "Pantry Door")
    await page.click("#modal-submit")
    await expect(page.locator(".side .unread")).to_have_count(1)


async def test_phone_shows_channels_in_a_drawer(phone: Page) -> None:
    channel = phone.get_by_role("button", name="# kitchen")
    await expect(channel).not_to_be_visible()
    await phone.get_by_role("button", name="Channels and people").click()
    await channel.click()
    await expect(phone.locator("#title")).to_have_text("# kitchen")
    await expect(channel).not_to_be_visible()


async def test_phone_page_is_never_wider_than_screen(phone: Page) -> None:
    await say(phone, "/apiaudit 24h")
    await expect(phone.locator(".table").first).to_be_visible()
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 420


async def test_message_elsewhere_is_unread_until_its_channel_is_opened(
    page: Page, demo: Sandbox
) -> None:
    kitchen = page.get_by_role("button", name="# kitchen")
    await demo.slack.say("Tea is ready", user="U0GRACE", channel="C0KITCHEN")
    await expect(kitchen).to_have_text("# kitchen unread")
    assert await kitchen.evaluate("each => getComputedStyle(each).fontWeight") == "800"
    await expect(page).to_have_title("* Opswatch sandbox")
    # Nobody is called.
    await expect(page.locator("#notification")).not_to_be_visible()
    await kitchen.click()
    await expect(kitchen).to_have_text("# kitchen")
    await expect(page).to_have_title("Opswatch sandbox")


@pytest.mark.parametrize("mention", ["<@U0ADA>", "<!subteam^S0ONCALL>"])
async def test_mention_elsewhere_is_counted_and_announced(
    page: Page, demo: Sandbox, mention: str
) -> None:
    for number in (1, 2):
        await demo.slack.say(f"{mention} alert {number}", user="U0GRACE", channel="C0KITCHEN")
        await expect(page.locator(".badge")).to_have_text(f"{number} for you")
    await expect(page).to_have_title("(2) Opswatch sandbox")
    await page.locator("#notification").get_by_role("button", name="alert 2").click()
    await expect(page.locator("#title")).to_have_text("# kitchen")
    await expect(page.locator(".badge")).to_have_count(0)
    await expect(page.locator("#notification")).not_to_be_visible()


async def test_what_came_in_before_the_page_is_unread(page: Page, demo: Sandbox) -> None:
    await demo.slack.say("<@U0ADA> look", user="U0GRACE", channel="C0KITCHEN")
    await expect(page.locator(".badge")).to_have_text("1 for you")
    await page.reload()
    kitchen = page.get_by_role("button", name="# kitchen")
    await expect(kitchen).to_have_text("# kitchen1 for you")
    await kitchen.click()
    await page.reload()
    await expect(kitchen).to_have_text("# kitchen")
    # Of somebody else nothing is read.
    await page.select_option("#user", "U0LINUS")
    await expect(kitchen).to_have_text("# kitchen unread")


async def test_phone_shows_that_something_is_unread(phone: Page, demo: Sandbox) -> None:
    await demo.slack.say("<@U0ADA> look", user="U0GRACE", channel="C0KITCHEN")
    toggle = phone.get_by_role("button", name="Channels and people, 1 unread")
    await expect(toggle).to_be_visible()
    await expect(phone.locator("#notification")).to_be_visible()
    assert await problems_of(phone) == []
    await toggle.click()
    await phone.get_by_role("button", name="# kitchen").click()
    await expect(
        phone.get_by_role("button", name="Channels and people", exact=True)
    ).to_be_visible()


async def test_arrow_up_recalls_earlier_lines(page: Page) -> None:
    await say(page, "/usage today")
    await say(page, "/usage yesterday")
    await page.press("#text", "ArrowUp")
    await page.press("#text", "ArrowUp")
    await expect(page.locator("#text")).to_have_value("/usage today")


async def test_composer_completes_accounts(page: Page) -> None:
    await page.fill("#text", "/apiaudit ed")
    await expect(page.locator("#suggestions li")).to_have_text(["edge"])
    await page.press("#text", "Tab")
    await expect(page.locator("#text")).to_have_value("/apiaudit edge ")


async def test_links_skip_to_messages_and_message_box(page: Page) -> None:
    for name, target in (("Skip to messages", "#messages"), ("Skip to the message box", "#text")):
        link = page.get_by_role("link", name=name)
        await link.focus()
        await expect(link).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(page.locator(target)).to_be_focused()


async def test_panel_can_be_closed(page: Page) -> None:
    await page.click("#toggle-wire")
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.locator("#wire")).not_to_be_visible()


async def test_page_shows_when_sandbox_is_gone(page: Page, demo: Sandbox) -> None:
    await expect(page.locator("#gone")).not_to_be_visible()
    await demo.slack.stop()
    await expect(page.locator("#gone")).to_contain_text("make demo", timeout=30_000)


async def test_tall_answer_shows_its_headline(page: Page) -> None:
    await say(page, "/apiaudit 24h")
    headline = page.locator("article .header").last
    await expect(page.locator(".table").last).to_be_visible()
    await expect(headline).to_be_in_viewport()


# What people ask first, and the answers with the most below their headline.
USUAL_QUESTIONS = (
    "/usage",
    "/usage last 7 days per log csv",
    "/usage this month vs last month",
    "/apiaudit",
    "/apiaudit 2h failures",
    "/apiaudit 24h calls",
    "/apiaudit last 7 days vs previous",
    "/logs kitchen",
)


async def test_usual_answers_fit_a_laptop_screen(demo: Sandbox) -> None:
    heights = {}
    async with open_page(demo.slack.url, width=1440, height=900) as page:
        for number, line in enumerate(USUAL_QUESTIONS, start=1):
            await say(page, line)
            answers = page.locator("article", has=page.locator(".actions"))
            await expect(answers).to_have_count(number)
            await expect(answers.last.locator(".header")).to_be_visible()
            if line.endswith("csv") or line.startswith("/logs"):
                await expect(answers.last.locator(".file")).to_be_visible()
            heights[line] = await answers.last.evaluate("each => each.offsetHeight")
    assert {line: height for line, height in heights.items() if height > 900} == {}


async def test_tour_makes_an_alert_fire(page: Page) -> None:
    await page.get_by_role("button", name="Take the two-minute tour").click()
    tour = page.locator("#tour")
    for _ in range(4):
        await tour.get_by_role("button", name="Next").click()
    await tour.get_by_role("button", name="Create the alert").click()
    acknowledge = page.get_by_role("button", name="Acknowledge", exact=True)
    await expect(acknowledge).to_be_visible(timeout=60_000)
    await tour.get_by_role("button", name="Next").click()
    await tour.get_by_role("button", name="Press “Acknowledge”").click()
    await expect(page.locator("article", has_text="tour").last).to_contain_text(
        "cknowledged by", timeout=60_000
    )


async def test_second_tour_acknowledges_its_own_alert(page: Page) -> None:
    tour = page.locator("#tour")
    for _ in range(2):
        await page.locator("#start-tour").click()
        for _ in range(4):
            await tour.get_by_role("button", name="Next").click()
        await tour.get_by_role("button", name="Create the alert").click()
        await tour.get_by_role("button", name="Next").click()
        name = await page.locator("#tour").get_attribute("data-alert")
        fired = page.locator("article", has_text=name).get_by_role("button", name="Acknowledge")
        await expect(fired).to_be_visible(timeout=60_000)
        await tour.get_by_role("button", name="Press “Acknowledge”").click()
        await expect(fired).not_to_be_visible(timeout=60_000)


async def test_tour_leaves_room_for_the_answer_on_a_phone(phone: Page) -> None:
    await phone.get_by_role("button", name="Take the two-minute tour").click()
    tour = phone.locator("#tour")
    await tour.get_by_role("button", name="/usage last 7 days").click()
    await expect(phone.locator("article .header").last).to_contain_text("in 7 days")
    assert await tour.evaluate("each => each.offsetHeight") < 60
    await expect(tour.get_by_role("button", name="Next")).to_be_focused()


async def test_tour_is_followed_by_keyboard(page: Page) -> None:
    await page.locator("#start-tour").press("Enter")
    tour = page.locator("#tour")
    await expect(tour.get_by_role("button", name="/usage last 7 days")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("article .header").last).to_contain_text("in 7 days")
    await expect(tour.get_by_role("button", name="Next")).to_be_focused()
    for number in range(2, 9):
        await page.keyboard.press("Enter")
        await expect(tour).to_contain_text(f"Step {number} of 8")
        await page.keyboard.press("Tab")
    await page.keyboard.press("Escape")
    await expect(tour).not_to_be_visible()
    await expect(page.locator("#text")).to_be_focused()


async def test_form_begins_at_its_first_input(page: Page) -> None:
    await say(page, "/usage today")
    alert = page.get_by_role("button", name="Alert me…")
    await alert.press("Enter")
    await expect(page.locator("#modal [data-block]").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(alert).to_be_focused()


async def test_drawer_keeps_the_focus(phone: Page) -> None:
    toggle = phone.get_by_role("button", name="Channels and people")
    await toggle.press("Enter")
    await expect(phone.get_by_role("button", name="# ops")).to_be_focused()
    await phone.keyboard.press("Escape")
    await expect(toggle).to_be_focused()
    await expect(phone.get_by_role("button", name="# ops")).not_to_be_visible()


async def test_dark_page_is_readable(page: Page) -> None:
    await page.emulate_media(color_scheme="dark")
    await say(page, "/apiaudit 24h")
    await expect(page.locator(".table").first).to_be_visible()
    assert await problems_of(page) == []
