// What came in elsewhere: channels in bold, a number where somebody is called, and a notification.
import { marked } from "./markup.js";
import { $, make, nameOf, state } from "./state.js";

const SHOWN_S = 10;
// What a phone shows of a notification, at most.
const LONGEST = 178;
// Up to which message each channel was read, by person; kept while the tab is open.
const read = JSON.parse(sessionStorage.getItem("read") ?? "{}");
let hiding = 0;

const isDirect = (channel) => state.channels.some((each) => each.id === channel && each.direct);
const keyOf = (channel) => `${state.user} ${channel}`;

// Whether Slack would notify the person on the page.
function callsMe(message) {
  const groups = Object.keys(state.members).filter((group) => state.members[group].includes(state.user));
  const marks = [`<@${state.user}`, ...groups.map((group) => `<!subteam^${group}`), "<!channel", "<!here"];
  const text = JSON.stringify([message.text, message.blocks]);
  return isDirect(message.channel) || marks.some((mark) => text.includes(mark));
}

const isUnread = (message) =>
  message.user !== state.user &&
  (!message.seen_by || message.seen_by === state.user) &&
  parseFloat(message.ts) > (read[keyOf(message.channel)] ?? 0);

// The open channel has been read to its end.
export function markRead(channel) {
  const stamps = state.messages.filter((message) => message.channel === channel).map(({ ts }) => parseFloat(ts));
  read[keyOf(channel)] = Math.max(0, ...stamps);
  sessionStorage.setItem("read", JSON.stringify(read));
}

// How many messages of a channel, or of all, are unread, and how many of them call the person.
export function unreadIn(channel = "") {
  const found = state.messages.filter((message) => (!channel || message.channel === channel) && isUnread(message));
  return { all: found.length, calls: found.filter(callsMe).length };
}

// A number where somebody is called, and words for a screen reader.
export function badge({ all, calls }) {
  if (!all) return "";
  const words = make("span", { class: "hidden" }, calls ? " for you" : " unread");
  return make("span", { class: calls ? "badge" : "" }, calls ? String(calls) : "", words);
}

// Unread messages are seen where the list of channels is not, too.
export function showUnread() {
  const { all, calls } = unreadIn();
  document.title = `${calls ? `(${calls}) ` : all ? "* " : ""}Opswatch sandbox`;
  $("toggle-side").classList.toggle("unread", all > 0);
  $("toggle-side").classList.toggle("calls", calls > 0);
  $("toggle-side").setAttribute("aria-label", `Channels and people${all ? `, ${all} unread` : ""}`);
}

// As Slack notifies of a message that calls the person; `open` opens its channel.
export function notify(message, open) {
  if (!isUnread(message) || !callsMe(message)) return;
  const channel = state.channels.find((each) => each.id === message.channel);
  const where = channel && !channel.direct ? ` in #${channel.name}` : "";
  const text = message.text.replace(/\s+/g, " ").trim();
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  const press = () => open(message.channel);
  $("notification").replaceChildren(
    make("button", { type: "button", onclick: press }, make("b", {}, `${nameOf(message.user)}${where}`), make("span", {}, marked(shown))),
  );
  $("notification").hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(hideNotification, 1000 * SHOWN_S);
}

export function hideNotification() {
  $("notification").hidden = true;
}
