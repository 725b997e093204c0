// The tabs of a channel with canvases, and a canvas drawn from its Markdown.
import { $, make, nameOf, state } from "./state.js";

const INLINE =
  /\\([\\`*_{}[\]<>#|~!.+)-])|`([^`\n]+)`|\*\*(.+?)\*\*|(?<![\w\\])_([^_\n]+)_(?!\w)|!\[\]\(([@#])(\w+)\)|\[([^\]\n]+)\]\(([^)\s]+)\)/g;

const canvasesHere = () => state.canvases.filter((canvas) => canvas.channel === state.channel);

export const openCanvas = () => canvasesHere().find((canvas) => canvas.id === state.canvas);

// `onOpen` is called with the id of the chosen canvas, or nothing for the messages.
export function showTabs(onOpen) {
  const tab = (label, id) =>
    make("button", { type: "button", role: "tab", "aria-selected": String((openCanvas()?.id ?? "") === id), onclick: () => onOpen(id) }, label);
  const canvases = canvasesHere();
  $("tabs").hidden = state.showHome || !canvases.length;
  $("tabs").replaceChildren(tab("Messages", ""), ...canvases.map((canvas) => tab(canvas.title, canvas.id)));
}

export function showCanvas() {
  const canvas = openCanvas();
  $("canvas").hidden = state.showHome || !canvas;
  if (canvas) $("canvas").replaceChildren(make("h2", { class: "canvas-title" }, canvas.title), ...sections(canvas.markdown).map(section));
}

function sections(markdown) {
  const out = [];
  let lines = [];
  let inCode = false;
  for (const line of [...markdown.split("\n"), ""]) {
    if (line.startsWith("```")) inCode = !inCode;
    if (line.trim() || inCode) lines.push(line);
    else if (lines.length) {
      out.push(lines);
      lines = [];
    }
  }
  return out;
}

function section(lines) {
  const heading = /^(#{1,3}) (.*)$/.exec(lines[0]);
  if (heading) return make(`h${heading[1].length + 1}`, {}, inline(heading[2]));
  if (lines[0].startsWith("```")) return make("pre", {}, lines.slice(1, -1).join("\n"));
  if (lines[0] === "---") return make("hr");
  if (lines[0].startsWith("|")) return table(lines);
  if (lines.every((line) => line.startsWith("- "))) return make("ul", {}, ...lines.map((line) => make("li", {}, inline(line.slice(2)))));
  return make("p", {}, inline(lines.join("\n")));
}

function table([head, rule, ...rows]) {
  const cells = (line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim());
  const kinds = cells(rule).map((cell) => (cell.endsWith(":") ? "number" : ""));
  const row = (line, tag) => make("tr", {}, ...cells(line).map((cell, n) => make(tag, { class: kinds[n] }, inline(cell))));
  const grid = make("table", {}, make("thead", {}, row(head, "th")), make("tbody", {}, ...rows.map((line) => row(line, "td"))));
  return make("div", { class: "table" }, make("div", { class: "scroll" }, grid));
}

function inline(text) {
  const out = document.createDocumentFragment();
  let done = 0;
  for (const match of text.matchAll(INLINE)) {
    out.append(text.slice(done, match.index), piece(match));
    done = match.index + match[0].length;
  }
  out.append(text.slice(done));
  return out;
}

function piece([, literal, code, bold, italic, sign, target, label, link]) {
  if (literal !== undefined) return literal;
  if (code !== undefined) return make("code", {}, code);
  if (bold !== undefined) return make("strong", {}, inline(bold));
  if (italic !== undefined) return make("em", {}, inline(italic));
  if (sign !== undefined) return make("strong", { class: "mention" }, sign + (sign === "@" ? nameOf(target) : target));
  return make("a", { href: "#", title: link }, label);
}
