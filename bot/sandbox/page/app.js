// The sandbox's page: draws what the bot sent, as Slack would.
import { draw, pressed } from "./blocks.js";
import { openCanvas, showCanvas, showTabs } from "./canvas.js";
import { listenToComposer, send } from "./composer.js";
import { showMessages, showWire } from "./messages.js";
import { doInModal, entries, listenToModal, showView } from "./modals.js";
import { $, make, me, post, state } from "./state.js";
import { startTour } from "./tour.js";
import { badge, hideNotification, markRead, notify, showUnread, unreadIn } from "./unread.js";

const EXAMPLES = [
  "/usage last 7 days",
  "/usage this month by week",
  "/apiaudit 24h",
  "/apiaudit edge 7d status:5xx",
  "/logs kitchen 2h where(/error/i)",
  "/usage alert today above 1 GB every 1m",
  "/usage alerts",
  "/logs help",
];
const KEPT_REQUESTS = 200;

function showSide() {
  if (!state.showHome) markRead(state.channel);
  const item = (channel) => {
    const current = !state.showHome && channel.id === state.channel;
    const unread = unreadIn(channel.id);
    const attributes = {
      type: "button",
      class: unread.all ? "unread" : "",
      "aria-current": String(current),
      onclick: () => go(channel.id),
    };
    return make("li", {}, make("button", attributes, titleOf(channel), badge(unread)));
  };
  const directs = state.channels.filter((channel) => channel.direct);
  $("channels").replaceChildren(...state.channels.filter((channel) => !channel.direct).map(item));
  $("directs").replaceChildren(...directs.map(item));
  $("directs-title").hidden = !directs.length;
  $("open-home").setAttribute("aria-current", String(state.showHome));
  $("about-me").textContent = me() ? `${me().about} · ${me().tz}` : "";
  const channel = state.channels.find((each) => each.id === state.channel);
  $("title").textContent = state.showHome || !channel ? "Opswatch" : titleOf(channel);
  $("about").textContent = state.showHome ? "App Home" : channel?.about ?? "";
  showUnread();
}

const titleOf = (channel) => (channel.direct ? "Opswatch" : `# ${channel.name}`);

function showAll() {
  showSide();
  const coversMessages = state.showHome || Boolean(openCanvas());
  $("home").hidden = !state.showHome;
  $("messages").hidden = coversMessages;
  $("composer").hidden = coversMessages;
  $("ideas").hidden = coversMessages;
  showTabs(openTab);
  showCanvas();
  if (state.showHome) $("home").replaceChildren(...(state.home ?? []).map((block) => draw(block, null)));
  else showMessages();
}

function openTab(canvas) {
  state.canvas = canvas;
  showAll();
}

function go(channel) {
  state.channel = channel;
  state.canvas = "";
  state.showHome = false;
  openSide(false);
  showAll();
  $("messages").scrollTop = $("messages").scrollHeight;
  $("text").focus();
}

function openSide(open) {
  hideNotification();
  document.body.classList.toggle("side-open", open);
  $("shade").hidden = !open;
  $("toggle-side").setAttribute("aria-expanded", String(open));
  // What is behind the open drawer can neither be seen nor be reached.
  document.querySelector("main").inert = open;
  if (open) $("channels").querySelector("button")?.focus();
}

async function load() {
  Object.assign(state, await (await fetch(`/state?user=${state.user}`)).json());
  if (!state.channels.some((channel) => channel.id === state.channel)) state.channel = "C0OPS";
  $("user").replaceChildren(...state.users.map((user) => make("option", { value: user.id }, user.name)));
  $("user").value = state.user;
  $("requests").replaceChildren(...state.requests.reverse().map(requestLine));
  showServers();
  showAll();
  showView();
}

function showServers() {
  const server = $("fault-server").value || Object.keys(state.faults)[1];
  $("fault-server").replaceChildren(...Object.entries(state.faults).map(([name, { title }]) => make("option", { value: name }, title)));
  $("fault-server").value = server in state.faults ? server : Object.keys(state.faults)[0];
  showFaults();
}

function showFaults() {
  const before = $("fault").value;
  const offered = Object.entries(state.faults[$("fault-server").value].faults);
  $("fault").replaceChildren(...offered.map(([name, label]) => make("option", { value: name }, label)));
  if (offered.some(([name]) => name === before)) $("fault").value = before;
}

function requestLine(request) {
  const query = request.query ? "?" + decodeURIComponent(request.query.replaceAll("+", " ")) : "";
  return make("li", {}, make("b", {}, request.server), ` ${request.method} ${request.path}${query}`);
}

// Events of the sandbox, by their name.
const ON_EVENT = {
  view: ({ user, view }) => {
    if (user !== state.user) return;
    // What was entered stays where the bot only shows the same form again.
    const kept = state.view && view && state.view.id === view.id ? entries() : {};
    state.view = view;
    showView(kept);
  },
  canvases: ({ canvases }) => {
    state.canvases = canvases;
    showAll();
  },
  prompts: ({ prompts }) => {
    state.prompts = prompts;
    showAll();
  },
  home: ({ user, blocks }) => {
    if (user !== state.user) return;
    state.home = blocks;
    if (state.showHome) showAll();
  },
  request: ({ request }) => {
    $("requests").prepend(requestLine(request));
    while ($("requests").childElementCount > KEPT_REQUESTS) $("requests").lastElementChild.remove();
  },
  deleted: ({ message }) => {
    state.messages = state.messages.filter((each) => each.ts !== message.ts);
    refresh(message);
  },
  added: ({ message }) => {
    keep({ message });
    notify(message, go);
  },
  changed: keep,
};

function keep({ message }) {
  const at = state.messages.findIndex((each) => each.ts === message.ts);
  if (at >= 0) state.messages[at] = message;
  else state.messages.push(message);
  refresh(message);
}

function refresh(message) {
  if (!state.channels.some((channel) => channel.id === message.channel)) {
    load();
    return;
  }
  if (message.channel === state.channel) showMessages();
  showSide();
}

function listenToSandbox() {
  const events = new EventSource("/events");
  let wasGone = false;
  events.onmessage = (event) => {
    const news = JSON.parse(event.data);
    ON_EVENT[news.event]?.(news);
  };
  events.onerror = () => {
    wasGone = true;
    $("gone").hidden = false;
  };
  events.onopen = () => {
    $("gone").hidden = true;
    if (wasGone) load();
    wasGone = false;
  };
}

pressed.inModal = doInModal;
pressed.inMessage = async (message, action_id, value) => {
  await post("/do/press", { user: state.user, ts: message?.ts ?? "", action_id, value: value ?? action_id });
  // What is asked in the App Home is answered in direct messages.
  if (!message && action_id.startsWith("ask.")) go(`D0${state.user.slice(2)}`);
};

$("ideas").append(...EXAMPLES.map((line) => make("button", { type: "button", onclick: () => send(line) }, line)));
$("user").addEventListener("change", (event) => {
  state.user = event.target.value;
  state.showHome = false;
  load();
});
$("open-home").addEventListener("click", () => {
  state.showHome = true;
  openSide(false);
  showAll();
  post("/do/home", { user: state.user });
});
$("ask").addEventListener("click", () => { openSide(false); post("/do/shortcut", { user: state.user }); });
$("new-thread").addEventListener("click", async () => {
  const { ts, channel } = await (await post("/do/thread", { user: state.user })).json();
  state.replyingTo = ts;
  await load();
  go(channel);
});
$("start-tour").addEventListener("click", () => { go("C0OPS"); startTour(); });
$("toggle-side").addEventListener("click", () => openSide(!document.body.classList.contains("side-open")));
$("shade").addEventListener("click", () => openSide(false));
$("toggle-wire").addEventListener("click", () => showWire($("wire").hidden));
$("close-wire").addEventListener("click", () => { showWire(false); $("toggle-wire").focus(); });
$("fault-server").addEventListener("change", showFaults);
$("do-fault").addEventListener("click", () => post("/do/fault", { server: $("fault-server").value, fault: $("fault").value }));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("modal").open) return;
  const opened = document.body.classList.contains("side-open") ? "toggle-side" : $("wire").hidden ? "" : "toggle-wire";
  openSide(false);
  showWire(false);
  if (opened) $(opened).focus();
});
listenToComposer();
listenToModal();
state.channel = location.hash.slice(1) || state.channel;
await load();
listenToSandbox();
document.body.dataset.ready = "true";
$("text").focus();
