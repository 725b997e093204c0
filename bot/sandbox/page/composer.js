// The message box: completion of commands and their words, and a history by the arrow keys.
import { $, make, post, state } from "./state.js";

const MOST_SUGGESTIONS = 8;
const history = [];
let recalled = 0;
let chosen = 0;

export async function send(text) {
  $("text").value = "";
  if (history.at(-1) !== text) history.push(text);
  recalled = history.length;
  showSuggestions();
  $("messages").scrollTop = $("messages").scrollHeight;
  await post("/do/command", { user: state.user, channel: state.channel, text });
}

// What may stand where the last word is being typed: [whole line, shown, hint].
function suggestions() {
  const line = $("text").value;
  if (!line.startsWith("/")) return [];
  if (!line.includes(" ")) {
    const found = state.commands.filter(({ name }) => name.startsWith(line) && name !== line);
    return found.map(({ name, hint }) => [`${name} `, name, hint]);
  }
  const command = state.commands.find(({ name }) => name === line.slice(0, line.indexOf(" ")));
  if (!command) return [];
  const start = line.lastIndexOf(" ") + 1;
  const typed = line.slice(start).toLowerCase();
  if (!typed) return [];
  const said = new Set(line.split(" "));
  const found = command.words.filter((word) => word.startsWith(typed) && word !== typed && !said.has(word));
  return found.slice(0, MOST_SUGGESTIONS).map((word) => [`${line.slice(0, start)}${word} `, word, ""]);
}

function showSuggestions() {
  const found = suggestions();
  chosen = Math.min(chosen, Math.max(0, found.length - 1));
  $("suggestions").hidden = !found.length;
  $("text").setAttribute("aria-expanded", String(found.length > 0));
  $("suggestions").replaceChildren(
    ...found.map(([line, shown, hint], n) =>
      make("li", { role: "option", "aria-selected": String(n === chosen), onclick: () => take(line) }, shown, make("small", {}, hint)),
    ),
  );
}

function take(line) {
  $("text").value = line;
  chosen = 0;
  showSuggestions();
  $("text").focus();
}

function recall(step) {
  recalled = Math.max(0, Math.min(history.length, recalled + step));
  $("text").value = history[recalled] ?? "";
}

function onKey(event) {
  const found = $("suggestions").hidden ? [] : suggestions();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const isCommand = !$("text").value.includes(" ");
  if (step && found.length) {
    chosen = (chosen + step + found.length) % found.length;
    showSuggestions();
  } else if (step) {
    recall(step);
  } else if (found.length && (event.key === "Tab" || (event.key === "Enter" && isCommand))) {
    take(found[chosen][0]);
  } else {
    if (event.key === "Escape") $("suggestions").hidden = true;
    return;
  }
  event.preventDefault();
}

export function listenToComposer() {
  $("text").addEventListener("input", () => { chosen = 0; showSuggestions(); });
  $("text").addEventListener("keydown", onKey);
  $("text").addEventListener("blur", () => setTimeout(() => { $("suggestions").hidden = true; }, 150));
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("text").value.trim();
    if (text) send(text);
  });
}
