// The sandbox's page: draws what the bot sent, as Slack would. All text from outside goes in as text, never as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const state = { view: null, user: "U0ADA", channel: "C0OPS", users: [], channels: [], messages: [], home: null, showHome: false, unread: new Set() };
const commands = [
  ["/usage", "[account] [window] [by day|week|month] [per log] [csv]"],
  ["/apiaudit", "[account ...] [window] [filter ...] [failures] [csv]"],
  ["/logs", "LOG[,LOG...] [window] [where(LEQL)] [limit N]"],
];
const ideas = ["/usage last 7 days", "/usage this month by week", "/usage yesterday per log csv", "/apiaudit 24h", "/apiaudit edge 7d status:5xx", "/logs kitchen", "/logs kitchen 2h where(/error/i)", "/usage alert today above 1 GB every 1m", "/usage alerts", "/logs help"];
const emoji = { warning: "⚠️", hourglass_flowing_sand: "⏳" };
const colours = { U0ADA: "#8a4b9e", U0GRACE: "#b3622b", U0LINUS: "#3f7d58" };

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// Slack's markup, as far as bots use it.
function marked(text) {
  const out = document.createDocumentFragment();
  const pattern = /```([\s\S]+?)```|`([^`\n]+)`|\*([^*\n]+)\*|(?<!\w)_([^_\n]+)_(?!\w)|<([^>\n]+)>|:([a-z_]+):|\n/g;
  let done = 0;
  for (const match of text.matchAll(pattern)) {
    out.append(unescape(text.slice(done, match.index)));
    done = match.index + match[0].length;
    const [whole, block, code, bold, italic, link, name] = match;
    if (block !== undefined) out.append(make("pre", {}, unescape(block)));
    else if (code !== undefined) out.append(make("code", {}, unescape(code)));
    else if (bold !== undefined) out.append(make("strong", {}, marked(bold)));
    else if (italic !== undefined) out.append(make("em", {}, marked(italic)));
    else if (link !== undefined) out.append(linked(link));
    else if (name !== undefined) out.append(emoji[name] ?? whole);
    else out.append(make("br"));
  }
  out.append(unescape(text.slice(done)));
  return out;
}

function linked(link) {
  const [target, label] = link.split("|");
  if (target === "@U0OPSWATCH") return make("strong", {}, "@Opswatch");
  if (target.startsWith("@")) return make("strong", {}, "@" + (state.users.find((u) => u.id === target.slice(1))?.name ?? target.slice(1)));
  if (target.startsWith("!date^")) return document.createTextNode(new Date(1000 * target.split("^")[1]).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }));
  if (target.startsWith("#")) return make("strong", {}, "#" + (state.channels.find((c) => c.id === target.slice(1))?.name ?? target.slice(1)));
  if (target.startsWith("!")) return make("strong", { class: "ping" }, "@" + target.slice(1));
  return make("a", { href: "#", title: target }, label ?? target);
}

const draw = {
  header: (b) => make("div", { class: "header", role: "heading", "aria-level": "3" }, b.text.text),
  section: (b, message) => {
    const out = make("div");
    if (b.text) out.append(make("div", {}, textOf(b.text)));
    if (b.accessory) { out.className = "with-accessory"; out.append(make("button", { type: "button", title: b.accessory.value ?? "", onclick: () => pressOn(message, b.accessory) }, b.accessory.text.text)); }
    if (b.fields) out.append(make("div", { class: "fields" }, ...b.fields.map((f) => make("div", {}, textOf(f)))));
    return out;
  },
  context: (b) => make("div", { class: "context" }, ...b.elements.map((e) => make("div", {}, textOf(e)))),
  divider: () => make("hr"),
  image: (b) => make("figure", {}, make("img", { alt: b.alt_text, src: b.image_url ?? `/files/${b.slack_file?.id ?? ""}` }), b.title ? make("figcaption", {}, b.title.text) : ""),
  actions: (b, message) => make("div", { class: "actions" }, ...b.elements.map((e) => make("button", { type: "button", class: e.style ?? "", title: e.value ?? "", onclick: () => pressOn(message, e) }, e.text.text))),
  task_card: (b) => make("div", { class: `task ${b.status}` }, make("span", { class: "mark", role: "img", "aria-label": b.status.replace("_", " ") }), make("div", {}, make("b", {}, b.title), ...[b.details, b.output].filter(Boolean).map((rich) => make("div", { class: "context" }, rich.elements.flatMap((s) => s.elements).map((e) => e.text).join(""))))),
  plan: (b) => make("div", { class: "plan" }, make("b", {}, b.title), ...b.tasks.map((card) => draw.task_card(card))),
  data_table: table,
  table: table,
  data_visualization: chart,
};

// What stands in a modal, drawn as a form; it is sent as it stands, and errors come back to their inputs.
const field = {
  plain_text_input: (e, id) => make(e.multiline ? "textarea" : "input", { id, placeholder: e.placeholder?.text ?? "", ...(e.initial_value ? { value: e.initial_value } : {}) }),
  static_select: (e, id, optional) => {
    const out = make("select", { id });
    if (optional || !e.initial_option) out.append(make("option", { value: "" }, e.placeholder?.text ?? "–"));
    for (const o of e.options) { const option = make("option", { value: o.value }, o.text.text); option.selected = o.value === e.initial_option?.value; out.append(option); }
    return out;
  },
  external_select: (e, id) => {
    // Searched as it is typed, by asking the bot.
    const list = make("datalist", { id: `${id}-options` });
    const input = make("input", { id, list: list.id, placeholder: e.placeholder?.text ?? "", autocomplete: "off", ...(e.initial_option ? { value: e.initial_option.value } : {}) });
    const search = async () => {
      const typed = input.value;
      const found = await (await post("/do/options", { view: state.view.id, action_id: e.action_id, typed })).json();
      // An answer to what stands there no longer may come last.
      if (typed === input.value) list.replaceChildren(...found.map((name) => make("option", { value: name })));
    };
    input.addEventListener("input", search);
    input.addEventListener("focus", search, { once: true });
    input.after = list;
    return input;
  },
  timepicker: (e, id) => make("input", { id, type: "time", value: e.initial_time ?? "" }),
  datepicker: (e, id) => make("input", { id, type: "date", value: e.initial_date ?? "" }),
};

// Where a button stands: in a message, in the App Home (null), or in a modal.
const MODAL = Symbol("modal");
const pressOn = (where, element) => (where === MODAL ? inModal(element.action_id) : press(where, element.action_id, element.value));

const entries = () => Object.fromEntries([...document.querySelectorAll("#modal [data-block]")].map((n) => [n.dataset.block, n.value]));
const inModal = (act) => post("/do/view", { view: state.view.id, do: act, values: entries() });

function formOf(b, errors) {
  if (b.type !== "input") return draw[b.type] ? draw[b.type](b, MODAL) : make("div", {}, `[${b.type}]`);
  const id = `in-${b.block_id}`;
  const node = (field[b.element.type] ?? field.plain_text_input)(b.element, id, b.optional);
  node.dataset.block = b.block_id;
  const out = make("div", { class: "entry" }, make("label", { for: id }, b.label.text, b.optional ? make("small", {}, " (optional)") : ""), node, node.after instanceof Node ? node.after : "");
  if (errors[b.block_id]) { node.setAttribute("aria-invalid", "true"); node.setAttribute("aria-describedby", `${id}-error`); out.append(make("p", { class: "error", id: `${id}-error`, role: "alert" }, errors[b.block_id])); }
  return out;
}

function showView(kept = {}) {
  const modal = $("modal");
  if (!state.view) { if (modal.open) modal.close(); return; }
  const { view, errors } = state.view;
  $("modal-title").textContent = view.title.text;
  $("modal-submit").textContent = view.submit?.text ?? "";
  $("modal-submit").hidden = !view.submit;
  $("modal-close").textContent = view.close?.text ?? "Close";
  $("modal-body").replaceChildren(...view.blocks.map((b) => formOf(b, errors)));
  for (const n of document.querySelectorAll("#modal [data-block]")) if (n.dataset.block in kept) n.value = kept[n.dataset.block];
  if (!modal.open) modal.showModal();
}

// A cell holds plain text, a number with its text, or rich text, of which the words are shown.
const words = (cell) => cell.text ?? (cell.elements ?? []).map(words).join("");
const textOf = (object) => (object.type === "mrkdwn" ? marked(object.text) : document.createTextNode(object.text));

function table(b) {
  const [head, ...rows] = b.rows;
  // The plain kind is whole and stays as it is; the other has pages and can be sorted.
  const plain = b.type === "table";
  const size = plain ? b.rows.length : b.page_size ?? 5;
  const body = make("tbody");
  const pager = make("div", { class: "pager" });
  let page = 0, order = null, down = false;
  const numeric = head.map((_, n) => plain ? b.column_settings?.[n]?.align === "right" : rows.filter((r) => r[n].type === "raw_number").length * 2 > rows.length);
  const key = (cell) => (cell.type === "raw_number" ? cell.value : numeric[order] ? -Infinity : words(cell).toLowerCase());
  const show = () => {
    const sorted = order === null ? rows : [...rows].sort((a, z) => (key(a[order]) > key(z[order]) ? 1 : -1) * (down ? -1 : 1));
    const pages = Math.ceil(rows.length / size);
    body.replaceChildren(...sorted.slice(page * size, page * size + size).map((r) => make("tr", {}, ...r.map((c, n) => make("td", { class: numeric[n] ? "number" : words(c).length < 32 ? "short" : "" }, words(c))))));
    pager.hidden = pages < 2;
    const step = (text, to, off) => { const button = make("button", { type: "button", onclick: () => { page = to; show(); } }, text); button.disabled = off; return button; };
    pager.replaceChildren(step("‹ Back", page - 1, page === 0), `${page * size + 1}–${Math.min(rows.length, page * size + size)} of ${rows.length}`, step("More ›", page + 1, page + 1 >= pages));
  };
  const sort = (n) => { down = order === n ? !down : numeric[n]; order = n; page = 0; show(); };
  const header = make("tr", {}, ...head.map((c, n) => make("th", { scope: "col", class: numeric[n] ? "number" : "" }, plain ? words(c) : make("button", { type: "button", title: "Sort", onclick: () => sort(n) }, words(c)))));
  show();
  return make("div", { class: "table" }, b.caption ? make("h4", {}, b.caption) : "", make("div", { class: "scroll" }, make("table", {}, make("thead", {}, header), body)), pager);
}

function chart(b) {
  const { series, axis_config: axis, type } = b.chart;
  const W = 700, H = 198, left = 46, right = 8, top = 10, bottom = 22;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const put = (tag, attributes, text) => { const n = document.createElementNS(svg.namespaceURI, tag); for (const [k, v] of Object.entries(attributes)) n.setAttribute(k, v); if (text !== undefined) n.textContent = text; svg.append(n); return n; };
  svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${b.title}, ${axis.y_label ?? ""}: ` + series.map((s) => s.name + " " + s.data.map((p) => `${p.label} ${p.value}`).join(", ")).join("; "));
  const highest = Math.max(...series.flatMap((s) => s.data.map((p) => p.value)), 0) || 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  const ceiling = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].map((n) => n * power).find((n) => n >= highest);
  const y = (v) => top + (H - top - bottom) * (1 - v / ceiling);
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    put("line", { class: "grid", x1: left, x2: W - right, y1: y(ceiling * part), y2: y(ceiling * part) });
    put("text", { x: left - 6, y: y(ceiling * part) + 4, "text-anchor": "end" }, +(ceiling * part).toPrecision(3));
  }
  const slot = (W - left - right) / axis.categories.length;
  const every = Math.ceil((Math.max(...axis.categories.map((c) => c.length)) * 6 + 8) / slot);
  axis.categories.forEach((label, n) => { if (n % every === 0) put("text", { x: left + slot * (n + 0.5), y: H - 5, "text-anchor": "middle" }, label); });
  series.forEach((s, k) => {
    const colour = `var(--series${k % 3})`;
    if (type === "bar") {
      const width = Math.min(34, (slot * 0.74) / series.length);
      s.data.forEach((p, n) => put("rect", { x: left + slot * (n + 0.5) - (width * series.length) / 2 + width * k, y: y(p.value), width: Math.max(1, width - 1), height: Math.max(0, y(0) - y(p.value)), rx: 2, fill: colour }).append(title(svg, `${p.label}: ${p.value} ${axis.y_label ?? ""}`)));
    } else {
      put("polyline", { points: s.data.map((p, n) => `${left + slot * (n + 0.5)},${y(p.value)}`).join(" "), fill: "none", stroke: colour, "stroke-width": 2 });
    }
  });
  const legend = make("div", { class: "legend" }, ...series.map((s, k) => { const i = make("i"); i.style.background = `var(--series${k % 3})`; return make("span", {}, i, s.name); }));
  return make("div", { class: "chart" }, make("h4", {}, b.title, axis.y_label ? make("small", {}, axis.y_label) : ""), svg, series.length > 1 ? legend : "");
}

function title(svg, text) { const n = document.createElementNS(svg.namespaceURI, "title"); n.textContent = text; return n; }

function drawn(message) {
  const blocks = make("div", { class: "blocks" });
  for (const b of message.blocks) blocks.append(draw[b.type] ? draw[b.type](b, message) : make("div", {}, `[${b.type}]`));
  if (!message.blocks.length && message.text) blocks.append(make("div", { class: message.command ? "typed" : "" }, message.command ? message.text : marked(message.text)));
  for (const f of message.files) {
    const card = make("div", { class: "file" }, make("a", { href: `/files/${f.id}`, download: f.name }, f.name), make("small", {}, sized(f.size)));
    if (f.preview) card.append(make("pre", { tabindex: "0", "aria-label": `Preview of ${f.name}` }, f.preview));
    blocks.append(card);
  }
  return blocks;
}

const sized = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`);

const apps = { U0OPSWATCH: "Opswatch", USLACKBOT: "Slackbot" };
const nameOf = (id) => apps[id] ?? state.users.find((u) => u.id === id)?.name ?? id;

function article(message, replies) {
  const bot = message.user === "U0OPSWATCH";
  const name = nameOf(message.user);
  const avatar = make("div", { class: "avatar", "aria-hidden": "true" }, name[0]);
  avatar.style.background = bot ? "#1f3a4d" : colours[message.user] ?? "#777";
  const time = new Date(parseFloat(message.ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const who = make("div", { class: "who" }, name, bot ? make("span", { class: "app" }, "APP") : "", make("span", { class: "when" }, time + (message.edited ? " (edited)" : "")));
  const only = bot && message.seen_by ? make("div", { class: "only" }, "Only visible to you") : "";
  const out = make("article", { class: "message" + (bot && message.seen_by ? " private" : ""), "data-ts": message.ts }, avatar, make("div", {}, only, who, drawn(message)));
  const tools = make("div", { class: "tools" });
  if (bot) tools.append(make("button", { type: "button", onclick: () => post("/do/shortcut", { user: state.user, ts: message.ts }) }, "ask again"));
  if (!message.seen_by) tools.append(make("button", { type: "button", onclick: () => { state.replying = message.ts; showMessages(true); } }, "reply"));
  if (bot) tools.append(make("button", { class: "raw", type: "button", onclick: () => showRaw(message) }, "raw"));
  if (tools.childNodes.length) out.append(tools);
  if (replies.length) out.append(make("div", { class: "thread", "aria-label": "Thread" }, ...replies.map((r) => reply(r))));
  if (state.replying === message.ts) out.append(replyBox(message));
  return out;
}

function reply(message) {
  const bot = message.user === "U0OPSWATCH";
  const name = nameOf(message.user);
  const only = bot && message.seen_by ? make("div", { class: "only" }, "Only visible to you") : "";
  return make("div", { class: "reply" }, only, make("div", { class: "who" }, name), drawn(message));
}

function replyBox(message) {
  const input = make("input", { "aria-label": "Reply in the thread", placeholder: "@Opswatch last 30 days", value: "@Opswatch ", autocomplete: "off" });
  const form = make("form", { class: "reply-box" }, input, make("button", { type: "submit" }, "Reply"));
  form.addEventListener("submit", (event) => { event.preventDefault(); const text = input.value.trim(); state.replying = null; if (text) post("/do/command", { user: state.user, channel: state.channel, text, thread_ts: message.ts }); });
  setTimeout(() => { input.focus(); input.setSelectionRange(input.value.length, input.value.length); });
  return form;
}

function showMessages(keepPlace) {
  const box = $("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 140;
  const here = state.messages.filter((m) => m.channel === state.channel && (!m.seen_by || m.seen_by === state.user));
  const roots = here.filter((m) => !m.thread_ts);
  if (!roots.length) box.replaceChildren(make("div", { class: "empty" }, make("b", {}, "Ask away"), "Type /usage, /apiaudit or /logs below, or press one of the ideas. The bot that answers is the real one; only Slack and the providers are local stand-ins."));
  else box.replaceChildren(...roots.map((m) => article(m, here.filter((r) => r.thread_ts === m.ts))));
  if (atEnd && !keepPlace) box.scrollTop = box.scrollHeight;
}

function showSide() {
  const item = (c) => make("li", {}, make("button", { type: "button", class: state.unread.has(c.id) ? "unread" : "", "aria-current": String(!state.showHome && c.id === state.channel), onclick: () => go(c.id) }, (c.direct ? "Opswatch" : "# " + c.name)));
  $("channels").replaceChildren(...state.channels.filter((c) => !c.direct).map(item));
  $("directs").replaceChildren(...state.channels.filter((c) => c.direct).map(item));
  $("open-home").setAttribute("aria-current", String(state.showHome));
  const me = state.users.find((u) => u.id === state.user);
  $("about-me").textContent = me ? `${me.about} · ${me.tz}` : "";
  const channel = state.channels.find((c) => c.id === state.channel);
  $("title").textContent = state.showHome ? "Opswatch" : channel ? (channel.direct ? "Opswatch" : "# " + channel.name) : "";
  $("about").textContent = state.showHome ? "App Home" : channel?.about ?? "";
}

function showAll() {
  showSide();
  $("home").hidden = !state.showHome;
  $("messages").hidden = $("composer").hidden = $("ideas").hidden = state.showHome;
  if (state.showHome) $("home").replaceChildren(...(state.home ?? []).map((b) => (draw[b.type] ? draw[b.type](b, null) : "")));
  else showMessages();
}

function go(channel) { state.channel = channel; state.showHome = false; state.unread.delete(channel); showAll(); $("messages").scrollTop = $("messages").scrollHeight; $("text").focus(); }

async function load() {
  const got = await (await fetch(`/state?user=${state.user}`)).json();
  Object.assign(state, got);
  if (!state.channels.some((c) => c.id === state.channel)) state.channel = "C0OPS";
  $("user").replaceChildren(...state.users.map((u) => { const o = make("option", { value: u.id }, u.name); o.selected = u.id === state.user; return o; }));
  $("requests").replaceChildren(...got.requests.reverse().map(requestLine));
  showFaults();
  showAll();
  showView();
}

const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const press = (message, action_id, value) => post("/do/press", { user: state.user, ts: message?.ts ?? "", action_id, value: value ?? action_id }).then(() => { if (!message && value) go(`D0${state.user.slice(2)}`); });

function showFaults() {
  const chosen = $("fault").value, offered = Object.entries(state.faults[$("fault-server").value]);
  $("fault").replaceChildren(...offered.map(([name, said]) => make("option", { value: name }, said)));
  if (offered.some(([name]) => name === chosen)) $("fault").value = chosen;
}

function requestLine(r) {
  const query = decodeURIComponent(r.query.replaceAll("+", " "));
  return make("li", {}, make("b", {}, r.server), ` ${r.method} ${r.path}${query ? "?" + query : ""}`);
}

function showRaw(message) {
  $("wire").hidden = false;
  $("toggle-wire").setAttribute("aria-expanded", "true");
  $("raw-hint").hidden = true;
  $("raw").textContent = JSON.stringify({ text: message.text, blocks: message.blocks }, null, 1);
}

function heard(event) {
  const told = JSON.parse(event.data);
  if (told.event === "view") {
    if (told.user !== state.user) return;
    // What was entered stays where the bot only tells the same form anew.
    const kept = state.view && told.view && state.view.id === told.view.id ? entries() : {};
    state.view = told.view;
    showView(kept);
    return;
  }
  if (told.event === "home") {
    if (told.user === state.user) { state.home = told.blocks; if (state.showHome) showAll(); }
    return;
  }
  if (told.event === "request") { $("requests").prepend(requestLine(told.request)); return; }
  const message = told.message;
  const at = state.messages.findIndex((m) => m.ts === message.ts);
  if (told.event === "deleted") { if (at >= 0) state.messages.splice(at, 1); }
  else if (at >= 0) state.messages[at] = message;
  else state.messages.push(message);
  if (!state.channels.some((c) => c.id === message.channel)) { state.unread.add(message.channel); load(); return; }
  if (message.channel !== state.channel && (!message.seen_by || message.seen_by === state.user)) { state.unread.add(message.channel); showSide(); }
  else showMessages();
}

// The composer with command completion.
let chosen = 0;
const suggest = () => { const typed = $("text").value; return typed.startsWith("/") && !typed.includes(" ") ? commands.filter(([name]) => name.startsWith(typed) && name !== typed) : []; };
function showSuggestions() {
  const found = suggest();
  chosen = Math.min(chosen, Math.max(0, found.length - 1));
  $("suggestions").hidden = !found.length;
  $("suggestions").replaceChildren(...found.map(([name, hint], n) => make("li", { role: "option", "aria-selected": String(n === chosen), onclick: () => take(name) }, name, make("small", {}, hint))));
}
function take(name) { $("text").value = name + " "; showSuggestions(); $("text").focus(); }
async function send(text) {
  $("text").value = "";
  showSuggestions();
  $("messages").scrollTop = $("messages").scrollHeight;
  await post("/do/command", { user: state.user, channel: state.channel, text });
}

$("text").addEventListener("input", () => { chosen = 0; showSuggestions(); });
$("text").addEventListener("keydown", (event) => {
  const found = suggest();
  if (!found.length) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length; showSuggestions(); event.preventDefault(); }
  else if (event.key === "Tab" || (event.key === "Enter" && found.length)) { take(found[chosen][0]); event.preventDefault(); }
  else if (event.key === "Escape") $("suggestions").hidden = true;
});
$("composer").addEventListener("submit", (event) => { event.preventDefault(); const text = $("text").value.trim(); if (text) send(text); });
$("ideas").append(...ideas.map((line) => make("button", { type: "button", onclick: () => send(line) }, line)));
$("user").addEventListener("change", (event) => { state.user = event.target.value; state.showHome = false; load(); });
$("open-home").addEventListener("click", () => { state.showHome = true; showAll(); post("/do/home", { user: state.user }); });
$("modal-form").addEventListener("submit", (event) => { event.preventDefault(); inModal("submit"); });
$("modal-close").addEventListener("click", () => inModal("close"));
$("modal").addEventListener("cancel", (event) => { event.preventDefault(); inModal("close"); });
$("toggle-wire").addEventListener("click", () => { $("wire").hidden = !$("wire").hidden; $("toggle-wire").setAttribute("aria-expanded", String(!$("wire").hidden)); });
$("ask").addEventListener("click", () => post("/do/shortcut", { user: state.user }));
$("fault-server").addEventListener("change", showFaults);
$("do-fault").addEventListener("click", () => post("/do/fault", { server: $("fault-server").value, fault: $("fault").value }));

load().then(() => { new EventSource("/events").onmessage = heard; document.body.dataset.ready = "true"; $("text").focus(); });
