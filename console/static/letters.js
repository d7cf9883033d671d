// Letters on an open page: heard, felt and seen, and acknowledged once somebody can have seen them.

import { follow, receipt } from "./inbox.js";
import { play, unblocked } from "./sounds.js";
import { set, setting } from "./settings.js";
import { hasVoice } from "./voice.js";

const VIBRATE = { 1: [600, 200, 600, 200, 600], 2: [400, 200, 400], 3: [300], 4: [150] };
const KEPT = 5;
const REPEAT_MS = 10_000;

const box = document.getElementById("letters");
const list = document.getElementById("letters-list");
const card = document.getElementById("letter-card");
const state = document.getElementById("letters-state");
const soundButton = document.getElementById("letters-sound");
const blocked = document.getElementById("letters-blocked");
const room = box.dataset.room === "yes";
const csrf = box.dataset.csrf;

const sounded = new Set(); // attempts that were heard
const owed = new Set(); // attempts whose receipt the server has not taken yet
let loud = new Map(); // incidents that nobody has acknowledged, with their severity
let started = false;

// ── Showing ──────────────────────────────────────────────────────────────────

function show(letter) {
  // What two people in one room are told in the same words is one card.
  const words = [letter.path, letter.title, letter.body].join("\n");
  let line = list.querySelector(`[data-notification="${CSS.escape(letter.notification)}"]`)
    ?? [...list.children].find((one) => one.dataset.words === words);
  if (!line) {
    line = card.content.firstElementChild.cloneNode(true);
    line.dataset.notification = letter.notification;
    line.querySelector("button").addEventListener("click", () => line.remove());
  }
  line.dataset.severity = letter.severity;
  line.dataset.words = words;
  if (!line.parentNode) {
    // The gravest stand first, of one severity the newest: no notice pushes an alarm out of sight.
    const lesser = [...list.children].find((one) => Number(one.dataset.severity) >= letter.severity);
    list.insertBefore(line, lesser ?? null);
  }
  line.classList.toggle("drill", letter.drill);
  const link = line.querySelector("a");
  link.textContent = letter.title;
  link.setAttribute("href", letter.path?.startsWith("/") ? letter.path : "/phone");
  line.querySelector("p").textContent = letter.body;
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

async function acknowledge() {
  // Behind another window nobody has seen it: the next way is tried as if this page were closed.
  if (document.visibilityState !== "visible") return;
  for (const attempt of [...owed]) {
    if (await receipt(attempt, csrf)) owed.delete(attempt);
  }
}

async function heard({ items, raised }) {
  let gravest = 0;
  for (const letter of items) {
    show(letter);
    owed.add(letter.attempt);
    if (sounded.has(letter.attempt)) continue;
    sounded.add(letter.attempt);
    gravest = gravest ? Math.min(gravest, letter.severity) : letter.severity;
  }
  if (room) {
    const now = new Map(raised.map((one) => [one.incident, one.severity]));
    for (const [incident, severity] of now) {
      // What stood there already when the page was opened is not news, unless it is of the gravest.
      if (loud.has(incident) || (!started && severity > 1)) continue;
      gravest = gravest ? Math.min(gravest, severity) : severity;
    }
    loud = now;
    box.dataset.loud = [...loud.values()].filter((severity) => severity === 1).length;
    started = true;
  }
  if (gravest) await alarm(gravest);
  await acknowledge();
}

// ── Sound ────────────────────────────────────────────────────────────────────

const button = document.getElementById("sound-button");

/** Says on the page whether a sound would be heard; in the control room on one button of the head. */
function showBlocked(is) {
  blocked.hidden = !is;
  if (!button) return;
  const state = is ? "blocked" : setting("volume") > 0 ? "on" : "off";
  if (button.dataset.state === state) return;
  button.dataset.state = state;
  button.querySelector("span").textContent = button.dataset[state];
}

async function alarm(severity) {
  if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(VIBRATE[severity]);
  showBlocked(!(await play(severity)));
}

async function look() {
  // Before a press nothing is tried but an alarm itself: it may be allowed to sound all the same.
  showBlocked(!(navigator.userActivation?.hasBeenActive !== false && (await unblocked())));
}

const tests = document.querySelectorAll("#letters-sounds button");
for (const one of [...(tests.length ? tests : [soundButton]), blocked.querySelector("button")]) {
  one?.addEventListener("click", async () => showBlocked(!(await play(Number(one.dataset.severity ?? 3)))));
}
// Any press at all unlocks the sound. Heard when it is over: were the line above gone while a finger is
// down, another thing would lie under it when it is lifted.
document.addEventListener("click", look, { once: true });
document.addEventListener("keydown", look, { once: true });

if (room) {
  // The gravest are heard until somebody has acknowledged them.
  setInterval(() => [...loud.values()].includes(1) && alarm(1), REPEAT_MS);
}

// ── Line, receipts, screen ───────────────────────────────────────────────────

function lost(isLost) {
  const text = isLost ? state.dataset.lost : state.dataset.live;
  if (state.textContent !== text) state.textContent = text;
  state.dataset.state = isLost ? "lost" : "live";
}

document.addEventListener("visibilitychange", acknowledge);
window.addEventListener("online", acknowledge);
setInterval(() => owed.size && acknowledge(), REPEAT_MS);

const awake = document.getElementById("letters-awake");
let lock = null;

async function keepAwake() {
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => awake.setAttribute("aria-pressed", "false"));
    awake.setAttribute("aria-pressed", "true");
  } catch {
    awake.setAttribute("aria-pressed", "false");
  }
}

if (awake && "wakeLock" in navigator) {
  awake.hidden = false;
  let wanted = false;
  awake.addEventListener("click", async () => {
    wanted = awake.getAttribute("aria-pressed") !== "true";
    if (wanted) await keepAwake();
    else await lock?.release();
  });
  // The browser lets go of it whenever the page is hidden.
  document.addEventListener("visibilitychange", () => {
    if (wanted && document.visibilityState === "visible") keepAwake();
  });
}

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});

look();
follow({ controlRoom: room, heard, lost });
