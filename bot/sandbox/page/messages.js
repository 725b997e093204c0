// The messages of the open channel, with their threads and files.
import { draw } from "./blocks.js";
import { marked } from "./markup.js";
import { $, BOT, formatSize, make, nameOf, post, state, time } from "./state.js";

const COLOURS = { U0ADA: "#8a4b9e", U0GRACE: "#b3622b", U0LINUS: "#3f7d58", [BOT]: "#1f3a4d" };
// Nearer to the end than this, new messages are followed.
const NEAR_END = 140;
const unfolded = new Set();

export function showMessages({ keepPlace = false } = {}) {
  const box = $("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
  const here = state.messages.filter(isShown);
  const roots = here.filter((message) => !message.thread_ts);
  if (roots.length) {
    box.replaceChildren(...roots.map((root) => article(root, here.filter((reply) => reply.thread_ts === root.ts))));
  } else {
    box.replaceChildren(welcome());
  }
  if (atEnd && !keepPlace) follow(box);
}

const isShown = (message) =>
  message.channel === state.channel && (!message.seen_by || message.seen_by === state.user);

// To the end; to the beginning of the last message where it is taller than the screen.
function follow(box) {
  box.scrollTop = box.scrollHeight;
  const last = box.lastElementChild;
  if (last && last.offsetHeight > box.clientHeight) last.scrollIntoView({ block: "start" });
}

function welcome() {
  const start = make("button", { type: "button", class: "primary", onclick: () => $("start-tour").click() }, "Take the two-minute tour");
  return make(
    "div",
    { class: "empty" },
    make("b", {}, "Ask a question"),
    make("p", {}, "Type /usage, /apiaudit or /logs below, or choose an example. The bot that answers is the real one; only Slack and the vendors are local stand-ins."),
    start,
  );
}

function article(message, replies) {
  const fromBot = message.user === BOT;
  const onlyYou = fromBot && message.seen_by;
  const out = make("article", { class: "message" + (onlyYou ? " private" : ""), "data-ts": message.ts });
  const body = make("div", {}, onlyYou ? make("div", { class: "only" }, "Only visible to you") : "", author(message), content(message));
  out.append(avatar(message), body, tools(message));
  if (replies.length) out.append(make("div", { class: "thread", role: "group", "aria-label": "Thread" }, ...replies.map(reply)));
  if (!replies.length && state.prompts[message.ts]?.length) out.append(prompts(message));
  if (state.replyingTo === message.ts) out.append(replyBox(message));
  return out;
}

function avatar(message) {
  const out = make("div", { class: "avatar", "aria-hidden": "true" }, nameOf(message.user)[0]);
  out.style.background = COLOURS[message.user] ?? "#777";
  return out;
}

function author(message) {
  const at = time(parseFloat(message.ts), { hour: "2-digit", minute: "2-digit" });
  const app = message.user === BOT ? make("span", { class: "app" }, "APP") : "";
  return make("div", { class: "who" }, nameOf(message.user), app, make("span", { class: "when" }, at + (message.edited ? " (edited)" : "")));
}

function content(message) {
  const out = make("div", { class: "blocks" }, ...message.blocks.map((block) => draw(block, message)));
  if (!message.blocks.length && message.text) {
    out.append(make("div", { class: message.command ? "typed" : "" }, message.command ? message.text : marked(message.text)));
  }
  out.append(...message.files.map(file));
  if (message.streaming) out.append(make("div", { class: "streaming" }, "is writing…"));
  return out;
}

function file(each) {
  const link = make("a", { href: `/files/${each.id}`, download: each.name }, each.name);
  const card = make("div", { class: "file" }, link, make("small", {}, formatSize(each.size)));
  if (each.preview) card.append(preview(each));
  return card;
}

// Folded, as in Slack; redrawn messages keep what was unfolded.
function preview(each) {
  const text = make("pre", { tabindex: "0", "aria-label": `Preview of ${each.name}` }, each.preview);
  const out = make("details", {}, make("summary", {}, "Preview"), text);
  out.open = unfolded.has(each.id);
  out.addEventListener("toggle", () => unfolded[out.open ? "add" : "delete"](each.id));
  return out;
}

function tools(message) {
  const out = make("div", { class: "tools" });
  const tool = (text, onclick, kind = "") => out.append(make("button", { type: "button", class: kind, onclick }, text));
  if (message.user === BOT) tool("ask again", () => post("/do/shortcut", { user: state.user, ts: message.ts }));
  if (!message.seen_by) tool("reply", () => { state.replyingTo = message.ts; showMessages({ keepPlace: true }); });
  if (message.user === BOT) tool("raw", () => showRaw(message), "raw");
  return out;
}

function reply(message) {
  const onlyYou = message.user === BOT && message.seen_by;
  const note = onlyYou ? make("div", { class: "only" }, "Only visible to you") : "";
  return make("div", { class: "reply" }, note, make("div", { class: "who" }, nameOf(message.user)), content(message));
}

const askIn = (message, text) =>
  post("/do/command", { user: state.user, channel: state.channel, text, thread_ts: message.ts });

// What is suggested in a new thread with the app as an agent.
function prompts(message) {
  const button = (text) => make("button", { type: "button", onclick: () => askIn(message, text) }, text);
  return make("div", { class: "thread actions", role: "group", "aria-label": "Suggested prompts" }, ...state.prompts[message.ts].map(button));
}

function replyBox(message) {
  const isDirect = state.channels.some((each) => each.id === message.channel && each.direct);
  // Without a mention where nobody else is.
  const mention = isDirect ? "" : "@Opswatch ";
  const input = make("input", {
    "aria-label": "Reply in the thread",
    placeholder: `${mention}last 30 days`,
    value: mention,
    autocomplete: "off",
  });
  const form = make("form", { class: "reply-box" }, input, make("button", { type: "submit" }, "Reply"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    state.replyingTo = null;
    if (text) askIn(message, text);
  });
  setTimeout(() => {
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  });
  return form;
}

function showRaw(message) {
  $("raw-hint").hidden = true;
  $("raw").textContent = JSON.stringify({ text: message.text, blocks: message.blocks }, null, 1);
  showWire(true);
}

export function showWire(open) {
  $("wire").hidden = !open;
  $("toggle-wire").setAttribute("aria-expanded", String(open));
}
