// Slack's `table` (whole, as it is) and `data_table` (in pages, sortable).
import { make } from "./state.js";

const NARROW = 32;

// A cell holds plain text, a number with its text, or rich text, of which the words are shown.
export const words = (cell) => cell.text ?? (cell.elements ?? []).map(words).join("");

export function table(block) {
  const [head, ...rows] = block.rows;
  const plain = block.type === "table";
  const size = plain ? rows.length : block.page_size ?? 5;
  const numeric = head.map((_, n) => isNumeric(block, rows, n));
  const body = make("tbody");
  const pager = make("div", { class: "pager" });
  let page = 0;
  let order = null;
  let descending = false;

  const key = (cell) => {
    if (cell.type === "raw_number") return cell.value;
    return numeric[order] ? -Infinity : words(cell).toLowerCase();
  };
  const sorted = () => {
    if (order === null) return rows;
    const sign = descending ? -1 : 1;
    return [...rows].sort((a, z) => (key(a[order]) > key(z[order]) ? sign : -sign));
  };
  const cell = (each, n) => {
    const text = words(each);
    const kind = numeric[n] ? "number" : text.length < NARROW ? "short" : "long";
    return make("td", { class: kind }, text);
  };
  const step = (text, to, off) => {
    const button = make("button", { type: "button", onclick: () => { page = to; show(); } }, text);
    button.disabled = off;
    return button;
  };
  const show = () => {
    const first = page * size;
    const last = Math.min(rows.length, first + size);
    body.replaceChildren(...sorted().slice(first, last).map((row) => make("tr", {}, ...row.map(cell))));
    pager.hidden = rows.length <= size;
    pager.replaceChildren(
      step("‹ Back", page - 1, page === 0),
      `${first + 1}–${last} of ${rows.length}`,
      step("More ›", page + 1, last >= rows.length),
    );
  };
  const sort = (n) => {
    descending = order === n ? !descending : numeric[n];
    order = n;
    page = 0;
    show();
  };
  const heading = (each, n) => {
    const label = plain ? words(each) : make("button", { type: "button", title: "Sort", onclick: () => sort(n) }, words(each));
    return make("th", { scope: "col", class: numeric[n] ? "number" : "" }, label);
  };
  show();
  const grid = make("table", {}, make("thead", {}, make("tr", {}, ...head.map(heading))), body);
  const caption = block.caption ? make("h3", {}, block.caption) : "";
  return make("div", { class: "table" }, caption, make("div", { class: "scroll" }, grid), pager);
}

function isNumeric(block, rows, n) {
  if (block.type === "table") return block.column_settings?.[n]?.align === "right";
  return rows.filter((row) => row[n].type === "raw_number").length * 2 > rows.length;
}
