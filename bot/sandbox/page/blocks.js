// Block Kit, drawn as Slack draws it. `where` is the message, MODAL, or null for the App Home.
import { chart } from "./charts.js";
import { textOf } from "./markup.js";
import { make, post, state } from "./state.js";
import { table } from "./tables.js";

export const MODAL = Symbol("modal");

// What a button does, by where it stands; set once by app.js.
export const pressed = { inMessage: () => {}, inModal: () => {} };

export function draw(block, where) {
  return DRAWN[block.type]?.(block, where) ?? make("div", {}, `[${block.type}]`);
}

const DRAWN = {
  header: (block) => make("div", { class: "header", role: "heading", "aria-level": "2" }, textOf(block.text)),
  section,
  context: (block) => make("div", { class: "context" }, ...block.elements.map((each) => make("div", {}, textOf(each)))),
  divider: () => make("hr"),
  image: (block) => {
    const source = block.image_url ?? `/files/${block.slack_file?.id ?? ""}`;
    const caption = block.title ? make("figcaption", {}, block.title.text) : "";
    return make("figure", {}, make("img", { alt: block.alt_text, src: source }), caption);
  },
  actions: (block, where) => make("div", { class: "actions" }, ...block.elements.map((each) => button(each, where))),
  task_card: task,
  plan: (block) => make("div", { class: "plan" }, make("b", {}, block.title), ...block.tasks.map(task)),
  data_table: table,
  table,
  data_visualization: chart,
};

function section(block, where) {
  const out = make("div");
  if (block.text) out.append(make("div", {}, textOf(block.text)));
  if (block.accessory) {
    out.className = "with-accessory";
    out.append(button(block.accessory, where));
  }
  if (block.fields) {
    out.append(make("div", { class: "fields" }, ...block.fields.map((each) => make("div", {}, textOf(each)))));
  }
  return out;
}

function button(element, where) {
  const press = () => {
    if (element.url) window.open(element.url, "_blank", "noopener");
    return where === MODAL ? pressed.inModal(element.action_id) : pressed.inMessage(where, element.action_id, element.value);
  };
  return make("button", { type: "button", class: element.style ?? "", title: element.value ?? element.url ?? "", onclick: press }, element.text.text);
}

function task(card) {
  const rich = (part) => part.elements.flatMap((each) => each.elements).map((each) => each.text).join("");
  const mark = make("span", { class: "mark", role: "img", "aria-label": card.status.replace("_", " ") });
  const details = [card.details, card.output].filter(Boolean).map((part) => make("div", { class: "context" }, rich(part)));
  return make("div", { class: `task ${card.status}` }, mark, make("div", {}, make("b", {}, card.title), ...details));
}

// The inputs of a modal: an element, or an element and what belongs to it.
export const INPUTS = {
  plain_text_input: (element, id) =>
    make(element.multiline ? "textarea" : "input", {
      id,
      placeholder: element.placeholder?.text ?? "",
      ...(element.initial_value ? { value: element.initial_value } : {}),
    }),
  static_select: (element, id, optional) => {
    const out = make("select", { id });
    if (optional || !element.initial_option) out.append(make("option", { value: "" }, element.placeholder?.text ?? "–"));
    for (const each of element.options) {
      const option = make("option", { value: each.value }, each.text.text);
      option.selected = each.value === element.initial_option?.value;
      out.append(option);
    }
    return out;
  },
  external_select: searched,
  multi_external_select: searched,
  timepicker: (element, id) => make("input", { id, type: "time", value: element.initial_time ?? "" }),
  datepicker: (element, id) => make("input", { id, type: "date", value: element.initial_date ?? "" }),
};

// A select whose options the bot finds as somebody types.
function searched(element, id) {
  const several = element.type === "multi_external_select";
  const list = make("datalist", { id: `${id}-options` });
  const input = make("input", {
    id,
    list: list.id,
    placeholder: element.placeholder?.text ?? "",
    autocomplete: "off",
    ...(element.initial_option ? { value: element.initial_option.value } : {}),
  });
  const search = async () => {
    const typed = input.value;
    // Of several choices the last one is searched.
    const [, before, last] = several ? /^(.*\s)?(\S*)$/s.exec(typed) : ["", "", typed];
    const answer = await post("/do/options", { view: state.view.id, action_id: element.action_id, typed: last });
    const found = await answer.json();
    // A late answer to something that was typed before is dropped.
    if (typed === input.value) list.replaceChildren(...found.map((name) => make("option", { value: (before ?? "") + name })));
  };
  input.addEventListener("input", search);
  input.addEventListener("focus", search, { once: true });
  return [input, list];
}
