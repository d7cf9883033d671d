// The volunteer's page: a new alert is felt as well as seen, who took it is known at once, and what is
// pressed without a network is sent when there is one.

import { countAges, debounced, fetchPart, listen } from "./live.js";
import { pressing } from "./pressing.js";

const { Presses } = self;
const tasks = document.getElementById("tasks");
const user = document.body.dataset.user;

const offers = (root) => new Set((root.querySelector("[data-offers]")?.dataset.offers ?? "").split(" ").filter(Boolean));
const states = (root) => [...root.querySelectorAll("[data-task]")].map((t) => t.dataset.task + t.dataset.state).join();

/** A copy for the time without a line: no picture, no token, and none at all once nothing is to be done. */
async function copied(html) {
  const made = document.createElement("div");
  made.innerHTML = html;
  if (!made.querySelector("[data-task]")) return Presses.drop("tasks");
  for (const one of made.querySelectorAll('input[name="csrf_token"], .task-picture, #where')) one.remove();
  return Presses.keep("tasks", made.innerHTML, user);
}

let drawn = null;

async function refresh() {
  const html = await fetchPart(tasks.dataset.url);
  if (html === null) return;
  const next = document.createElement("div");
  next.innerHTML = html;
  heard(next);
  copied(html).catch(() => {});
  const known = offers(tasks);
  const fresh = [...offers(next)].some((id) => !known.has(id));
  // Nothing moves under a thumb where nothing has changed but the ages.
  const bare = html.replace(/<time[^]*?<\/time>/g, "");
  if (bare === drawn) return pressed.paint();
  // A note half written stays, and so does a photo that was taken for it.
  const begun = [...tasks.querySelectorAll('textarea, input[type="file"]')].some((one) => one.value);
  if (begun && states(next) === states(tasks)) return;
  const focused = document.activeElement?.closest("#tasks [id]")?.id;
  drawn = bare;
  tasks.innerHTML = html;
  window.htmx?.process(tasks);
  await pressed.paint();
  // Whoever works with a keyboard or a reader is not thrown back to the top of the page.
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  if (fresh) {
    navigator.vibrate?.([300, 120, 300]);
    const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
    window.scrollTo({ top: 0, behavior: quiet ? "instant" : "smooth" });
  }
}

const pressed = pressing(tasks, refresh);
const ask = debounced(refresh, 300);
const heard = listen({ dispatch: ask, incident: ask }, ask);
countAges();
heard(tasks);
copied(tasks.innerHTML).catch(() => {});
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
document.body.addEventListener("htmx:afterSwap", () => {
  drawn = null;
  pressed.paint();
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.responseURL.includes("/sign-in")) location.reload();
});
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});

// ── The line: live, reconnecting, or no network at all and since when ─────────

const line = document.getElementById("link-state");
let since = null;

function lineState() {
  if (navigator.onLine) {
    since = null;
    return;
  }
  since ??= new Date().toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", hour12: false, timeZone: document.body.dataset.zone || undefined,
  });
  const text = line.dataset.offline.replace("#", since);
  if (line.dataset.state !== "lost") line.dataset.state = "lost";
  if (line.textContent !== text) line.textContent = text;
}

new MutationObserver(lineState).observe(line, { childList: true, attributes: true });
addEventListener("offline", lineState);
addEventListener("online", () => {
  since = null;
  line.dataset.state = "wait";
  line.textContent = line.dataset.again;
  ask();
});
lineState();

// ── The screen stays on for whoever is on the way ─────────────────────────────

let lock = null;

async function awake() {
  const going = tasks.querySelector('[data-shown="en_route"]') !== null;
  if (!going) {
    await lock?.release().catch(() => {});
    lock = null;
  } else if (lock === null && document.visibilityState === "visible") {
    lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    lock?.addEventListener("release", () => (lock = null));
  }
}

addEventListener("painted", awake);
document.addEventListener("visibilitychange", awake);

// The shell and its files are taken in while there is a line.
navigator.serviceWorker?.ready.then((one) => one.active?.postMessage("stock"));
