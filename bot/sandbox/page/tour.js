// A tour of eight steps: each says what happens and does it with one press.
import { send } from "./composer.js";
import { $, make, post, state } from "./state.js";

const newest = (selector) => [...document.querySelectorAll(selector)].at(-1);
const button = (name, about = "") =>
  [...document.querySelectorAll("article")]
    .filter((article) => article.textContent.includes(about))
    .flatMap((article) => [...article.querySelectorAll("button")])
    .filter((each) => each.textContent === name)
    .at(-1);
// Each tour has an alert of its own, which nobody has acknowledged yet.
let alertName = "";

const STEPS = [
  {
    title: "Ask how much data is sent",
    text: "A slash command answers in the channel: the number first, then the chart and the days behind it.",
    label: "/usage last 7 days",
    run: ({ say }) => say("/usage last 7 days"),
  },
  {
    title: "Ask further with a button",
    text: "Every answer offers the next question. “By log” shows which log sends the most.",
    label: "Press “By log”",
    run: ({ say }) => button("By log")?.click() ?? say("/usage last 7 days per log"),
  },
  {
    title: "See who called an API",
    text: "Two vendors are asked at once. The answer names people, so only you see it until you share it.",
    label: "/apiaudit 24h failures",
    run: ({ say }) => say("/apiaudit 24h failures"),
  },
  {
    title: "Fetch a log",
    text: "The log is downloaded, secrets are removed, and the file arrives with a timeline.",
    label: "/logs kitchen 2h",
    run: ({ say }) => say("/logs kitchen 2h"),
  },
  {
    title: "Make an alert fire",
    text: "Any number in an answer can have an alert. This one is over its threshold, so it fires within seconds.",
    label: "Create the alert",
    run: ({ say }) => say(`/usage alert today above 1 MB every 1m as ${alertName}`),
  },
  {
    title: "Acknowledge it",
    text: "The message is edited in place, and its thread keeps the history.",
    label: "Press “Acknowledge”",
    run: ({ note }) => {
      const found = button("Acknowledge", alertName);
      if (found) found.click();
      else note("The alert has not fired yet, or is acknowledged already. It fires within a minute of its creation.");
    },
  },
  {
    title: "Let a vendor fail",
    text: "The vendor now refuses the key three times. The answer says what is wrong and what to do.",
    label: "Refuse the key, then ask",
    run: async ({ say }) => {
      await post("/do/fault", { server: Object.keys(state.faults)[1], fault: "401" });
      await say("/usage yesterday");
    },
  },
  {
    title: "Find everything again",
    text: "App Home lists what fires, the accounts, your subscriptions and your latest questions.",
    label: "Open Opswatch Home",
    run: () => $("open-home").click(),
  },
];

let at = 0;

export function startTour() {
  at = 0;
  alertName = `tour-${Date.now().toString(36)}`;
  $("tour").dataset.alert = alertName;
  state.channel = "C0OPS";
  show();
}

function show() {
  const box = $("tour");
  box.hidden = at >= STEPS.length;
  if (box.hidden) return;
  box.classList.remove("done");
  const step = STEPS[at];
  const close = make("button", { type: "button", class: "close", "aria-label": "End the tour", onclick: end }, "✕");
  const go = make("button", { type: "button", class: "primary", onclick: () => run(step) }, step.label);
  const skip = make("button", { type: "button", onclick: next }, at + 1 < STEPS.length ? "Next" : "Finish");
  box.onkeydown = ({ key }) => { if (key === "Escape") end(); };
  box.replaceChildren(
    make("header", {}, make("small", {}, `Step ${at + 1} of ${STEPS.length}`), close),
    make("h2", {}, step.title),
    make("p", {}, step.text),
    make("p", { class: "note", role: "status", hidden: true }),
    make("div", { class: "actions" }, go, skip),
  );
  // The buttons of the step before are gone, and the focus with them.
  go.focus();
}

async function run(step) {
  note("");
  // On a small screen only the way on is left, so that the answer can be read.
  $("tour").classList.add("done");
  await step.run({ say: send, note });
  newest("#tour .actions button")?.focus();
}

function note(text) {
  const line = newest("#tour .note");
  line.textContent = text;
  line.hidden = !text;
  if (text) $("tour").classList.remove("done");
}

function next() {
  at += 1;
  show();
  if (at >= STEPS.length && !state.showHome) $("text").focus();
}

function end() {
  at = STEPS.length;
  show();
  $("text").focus();
}
