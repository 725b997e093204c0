// What the page knows, and how it asks the sandbox for more.

export const state = {
  user: "U0ADA",
  channel: "C0OPS",
  showHome: false,
  users: [],
  groups: {},
  channels: [],
  commands: [],
  messages: [],
  canvases: [],
  prompts: {},
  canvas: "",
  home: null,
  view: null,
  faults: {},
  members: {},
  replyingTo: null,
};

export const BOT = "U0OPSWATCH";
const APPS = { [BOT]: "Opswatch", USLACKBOT: "Slackbot" };

export const $ = (id) => document.getElementById(id);
export const me = () => state.users.find((user) => user.id === state.user);
export const nameOf = (id) => APPS[id] ?? state.users.find((user) => user.id === id)?.name ?? id;

export function post(path, body) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

// An element. Text from outside is only ever given as a child, never as HTML.
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// `27 Nov 10:48`, as the bot writes times in its own words.
export function time(seconds, options) {
  const shown = new Date(1000 * seconds).toLocaleString("en-GB", { timeZone: me()?.tz, ...options });
  return shown.replace(", ", " ");
}

export function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
