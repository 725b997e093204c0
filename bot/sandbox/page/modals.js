// The modal that a person has open: sent as it stands, and errors come back to their inputs.
import { INPUTS, MODAL, draw } from "./blocks.js";
import { $, make, post, state } from "./state.js";

export const entries = () =>
  Object.fromEntries([...document.querySelectorAll("#modal [data-block]")].map((input) => [input.dataset.block, input.value]));

export const doInModal = (action) => post("/do/view", { view: state.view.id, do: action, values: entries() });

export function showView(kept = {}) {
  const modal = $("modal");
  if (!state.view) {
    if (modal.open) modal.close();
    return;
  }
  const { view, errors } = state.view;
  $("modal-title").textContent = view.title.text;
  $("modal-submit").textContent = view.submit?.text ?? "";
  $("modal-submit").hidden = !view.submit;
  $("modal-close").textContent = view.close?.text ?? "Close";
  $("modal-body").replaceChildren(...view.blocks.map((block) => entry(block, errors)));
  for (const input of document.querySelectorAll("#modal [data-block]")) {
    if (input.dataset.block in kept) input.value = kept[input.dataset.block];
  }
  if (modal.open) return;
  modal.showModal();
  // Not the body of a long form, which browsers focus because it scrolls.
  modal.querySelector("[data-block], .blocks button")?.focus();
}

function entry(block, errors) {
  if (block.type !== "input") return draw(block, MODAL);
  const id = `in-${block.block_id}`;
  const drawInput = INPUTS[block.element.type] ?? INPUTS.plain_text_input;
  const [input, ...beside] = [drawInput(block.element, id, block.optional)].flat();
  input.dataset.block = block.block_id;
  const label = make("label", { for: id }, block.label.text, block.optional ? make("small", {}, " (optional)") : "");
  const out = make("div", { class: "entry" }, label, input, ...beside);
  if (block.hint) out.append(make("p", { class: "hint" }, block.hint.text));
  if (errors[block.block_id]) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${id}-error`);
    out.append(make("p", { class: "error", id: `${id}-error`, role: "alert" }, errors[block.block_id]));
  }
  return out;
}

export function listenToModal() {
  $("modal-form").addEventListener("submit", (event) => { event.preventDefault(); doInModal("submit"); });
  $("modal-close").addEventListener("click", () => doInModal("close"));
  $("modal").addEventListener("cancel", (event) => { event.preventDefault(); doInModal("close"); });
}
