// Slack's text markup, as far as bots use it.
import { BOT, make, nameOf, state, time } from "./state.js";

// Emoji are drawn as shapes, since not every machine has a font with them.
const DOTS = { "🔴": "red", "🟠": "orange", "🟡": "yellow", "🟢": "green", "🔵": "blue", "⚪": "grey", "⚫": "black" };
const SIGNS = {
  warning: "M8 1.5 15.5 14.5H.5Z M8 6v4 M8 12v.6",
  "in progress": "M4 1.5h8 M4 14.5h8 M5 1.5v2.5l3 4-3 4v2.5 M11 1.5v2.5l-3 4 3 4v2.5",
  done: "M2.5 8.5 6.5 12.5 13.5 4",
  failed: "M3.5 3.5 12.5 12.5 M12.5 3.5 3.5 12.5",
  paused: "M5 3v10 M11 3v10",
};
const EMOJI = { warning: "warning", hourglass_flowing_sand: "in progress", white_check_mark: "done", x: "failed" };
const CHARACTERS = { "⏳": "in progress", "✅": "done", "⏸": "paused" };
const MARKUP =
  /```([\s\S]+?)```|`([^`\n]+)`|\*([^*\n]+)\*|(?<!\w)_([^_\n]+)_(?!\w)|<([^>\n]+)>|:([a-z_]+):|([🔴🟠🟡🟢🔵⚪⚫⏳✅⏸])|\n/gu;

const unescape = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export const textOf = (object) => (object.type === "mrkdwn" ? marked(object.text) : plain(object.text));

// Plain text: nothing in it is markup but emoji.
export function plain(text) {
  const out = document.createDocumentFragment();
  for (const part of text.split(/([🔴🟠🟡🟢🔵⚪⚫⏳✅⏸])/u)) out.append(part in DOTS || part in CHARACTERS ? shape(part) : part);
  return out;
}

const shape = (mark) => (mark in DOTS ? dot(mark) : sign(CHARACTERS[mark]));

function sign(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: `sign ${name.replace(" ", "-")}`, role: "img", "aria-label": name })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[name]);
  svg.append(path);
  return svg;
}

const dot = (mark) => make("span", { class: `dot ${DOTS[mark]}`, role: "img", "aria-label": DOTS[mark] });

export function marked(text) {
  const out = document.createDocumentFragment();
  let done = 0;
  for (const match of text.matchAll(MARKUP)) {
    out.append(unescape(text.slice(done, match.index)), piece(match));
    done = match.index + match[0].length;
  }
  out.append(unescape(text.slice(done)));
  return out;
}

function piece([whole, block, code, bold, italic, link, emoji, circle]) {
  if (block !== undefined) return make("pre", {}, unescape(block));
  if (code !== undefined) return make("code", {}, unescape(code));
  if (bold !== undefined) return make("strong", {}, marked(bold));
  if (italic !== undefined) return make("em", {}, marked(italic));
  if (link !== undefined) return linked(link);
  if (emoji !== undefined) return emoji in EMOJI ? sign(EMOJI[emoji]) : whole;
  if (circle !== undefined) return shape(circle);
  return make("br");
}

function linked(link) {
  const [target, label] = link.split("|");
  if (target.startsWith("@")) return make("strong", { class: "mention" }, "@" + nameOf(target.slice(1)));
  if (target.startsWith("#")) {
    const channel = state.channels.find((each) => each.id === target.slice(1));
    return make("strong", { class: "mention" }, "#" + (channel?.name ?? target.slice(1)));
  }
  if (target.startsWith("!date^")) return dated(target);
  if (target.startsWith("!subteam^")) return make("strong", { class: "mention" }, label ?? `@${state.groups[target.split("^")[1]] ?? "group"}`);
  if (target.startsWith("!")) return make("strong", { class: "ping" }, "@" + target.slice(1));
  return make("a", { href: "#", title: target }, label ?? target);
}

// <!date^SECONDS^FORMAT>, shown in the zone of the person who reads it.
function dated(target) {
  const [, seconds, format] = target.split("^");
  const options = { hour: "2-digit", minute: "2-digit" };
  if (format.includes("{date")) Object.assign(options, { day: "numeric", month: "short" });
  return document.createTextNode(time(Number(seconds), options));
}
