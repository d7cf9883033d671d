// The queue: what is new is said at once, and put in its place only where nobody is about to press.

import { setting } from "./settings.js";
import { play } from "./sounds.js";
import { say } from "./voice.js";
import { fetchPart, replace } from "./live.js";
import { showHands } from "./hands.js";

// So long after a pointer or a key has moved in the queue its lines keep their places.
const HOLD_MS = 4000;
const SEEN_KEY = "ringward.seen";
const FILTER_KEY = "ringward.filter";
const $ = (id) => document.getElementById(id);
const queue = $("queue");
const held = $("queue-held");
const filter = $("filter");
const form = $("filter-form");
const main = $("main");
const me = document.body.dataset.me;
const title = document.title;

let moved = 0;
let waiting = null;
let before = null;
let openId = "";
const opened = new Set(JSON.parse(sessionStorage.getItem(SEEN_KEY) ?? "[]"));

const lines = (root = queue) => [...root.querySelectorAll(".item")];
const part = (line) => line.closest("[data-part]")?.dataset.part ?? "active";
const waits = (line) => ["active", "care"].includes(part(line));

// ── Nothing moves under a hand ───────────────────────────────────────────────

queue.addEventListener("pointermove", () => (moved = Date.now()));
queue.addEventListener("pointerleave", () => {
  if (!queue.contains(document.activeElement)) moved = 0;
  release();
});
queue.addEventListener("focusin", () => (moved = Date.now()));
queue.addEventListener("keydown", () => (moved = Date.now()));
held.addEventListener("click", showNew);

function busy() {
  const here = queue.matches(":hover") || (queue.contains(document.activeElement) && document.hasFocus());
  return here && Date.now() - moved < HOLD_MS;
}

function order(root) {
  return lines(root).map((line) => `${part(line)}:${line.id}`).join();
}

function release() {
  if (waiting === null || busy()) return;
  const html = waiting;
  waiting = null;
  held.hidden = true;
  put(html);
}

/** Shows what was held back, and goes to the first line that is new. */
export function showNew() {
  moved = 0;
  const known = new Set(lines().map((line) => line.id));
  if (waiting !== null) {
    const html = waiting;
    waiting = null;
    put(html);
  }
  held.hidden = true;
  const first = lines().find((line) => !known.has(line.id)) ?? lines().find((line) => !line.querySelector(".fresh").hidden);
  (first ?? lines()[0])?.focus();
}

function put(html) {
  const focused = queue.contains(document.activeElement) ? document.activeElement : null;
  const top = focused?.getBoundingClientRect().top;
  replace(queue, html);
  dress();
  const again = focused && $(focused.id);
  // The line that has the focus stays where it was on the screen.
  if (again) queue.scrollTop += again.getBoundingClientRect().top - top;
}

/** What is held back still tells what it can in place: ages, states, whose hands. */
function putInPlace(next) {
  for (const line of lines(next)) {
    const old = $(line.id);
    if (!old || old.innerHTML === line.innerHTML) continue;
    old.innerHTML = line.innerHTML;
    for (const name of ["state", "severity", "by", "count", "say"]) {
      if (line.dataset[name] !== undefined) old.dataset[name] = line.dataset[name];
    }
    old.className = line.className;
  }
  const still = new Set(lines(next).map((line) => line.id));
  for (const old of lines()) old.classList.toggle("over", !still.has(old.id));
  dress();
}

export async function refreshQueue(heard) {
  const html = await fetchPart(queue.dataset.url, true);
  if (html === null) return;
  const next = document.createElement("div");
  next.innerHTML = html;
  heard(next);
  tell(next);
  if (busy() && order(next) !== order(queue)) {
    waiting = html;
    const known = new Set(lines().map((line) => line.id));
    const fresh = lines(next).filter((line) => !known.has(line.id));
    showHeld(fresh);
    putInPlace(next);
    setTimeout(release, HOLD_MS + 50);
    return;
  }
  waiting = null;
  held.hidden = true;
  put(html);
}

function showHeld(fresh) {
  const gravest = Math.min(...fresh.map((line) => Number(line.dataset.severity)));
  const text = fresh.length
    ? held.dataset.new.replace("#", fresh.length).replace("@", held.dataset[`word-${gravest}`] ?? held.getAttribute(`data-word-${gravest}`))
    : held.dataset.changed;
  held.querySelector("span").textContent = text;
  held.classList.toggle("grave", fresh.length > 0 && gravest <= 2);
  held.hidden = false;
}

// ── Said to whoever listens ──────────────────────────────────────────────────

function portrait(root) {
  return new Map(
    lines(root).map((line) => [
      line.dataset.incident,
      { part: part(line), severity: Number(line.dataset.severity), words: line.dataset.say },
    ]),
  );
}

function tell(next) {
  const now = portrait(next);
  const old = before;
  before = now;
  if (old === null) return;
  const said = [];
  for (const [id, line] of now) {
    if (line.part !== "active") continue;
    const was = old.get(id);
    if (!was || was.part === "held") said.push({ ...line, text: line.words, sound: was !== undefined });
    else if (was.part === "aside") said.push({ ...line, text: main.dataset.back.replace("#", line.words), sound: true });
    else if (line.severity < was.severity) said.push({ ...line, text: main.dataset.graver.replace("#", line.words), sound: true });
  }
  said.sort((one, other) => one.severity - other.severity);
  for (const [urgent, room] of [[true, $("say-now")], [false, $("say-later")]]) {
    const texts = said.filter((line) => line.severity <= 2 === urgent).map((line) => line.text);
    if (texts.length) room.textContent = texts.join(" ");
  }
  for (const line of said) say(line.text, line.severity);
  // What is new sounds by itself (letters.js); what comes back or rises is no news there.
  const loudest = said.find((line) => line.sound);
  if (loudest) play(loudest.severity);
}

// ── Marks, filter, title ─────────────────────────────────────────────────────

export function setOpen(id) {
  openId = id;
  if (id) {
    opened.add(id);
    sessionStorage.setItem(SEEN_KEY, JSON.stringify([...opened].slice(-200)));
  }
  dress();
}

function dress() {
  for (const line of lines()) {
    if (line.dataset.incident === openId) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
    const fresh = line.querySelector(".fresh");
    if (fresh) fresh.hidden = opened.has(line.dataset.incident) || line.dataset.state !== "raised";
  }
  sift();
  showHands();
  retitle();
}

function chosen(name) {
  return new Set([...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value));
}

function sift() {
  const [severities, rings, mine] = ["severity", "ring", "mine"].map(chosen);
  const on = severities.size + rings.size + mine.size > 0;
  let shown = 0;
  const all = lines().filter(waits);
  for (const line of lines()) {
    const fits =
      // What is critical, and what stands open, is there whatever the filter says.
      line.dataset.severity === "1" ||
      line.dataset.incident === openId ||
      ((severities.size === 0 || severities.has(line.dataset.severity)) &&
        (rings.size === 0 || rings.has(line.dataset.ring)) &&
        (mine.size === 0 || line.dataset.by === me));
    line.hidden = !fits;
    if (fits && waits(line)) shown += 1;
  }
  const summary = filter.querySelector("summary");
  const text = on ? filter.dataset.on.replace("#", shown).replace("@", all.length) : filter.dataset.off;
  if (summary.textContent !== text) summary.textContent = text;
  summary.classList.toggle("on", on);
  const nothing = queue.querySelector("[data-filtered]");
  if (nothing) nothing.hidden = !(on && shown === 0 && all.length > 0);
}

function retitle() {
  const open = lines().filter((line) => part(line) === "active");
  const critical = open.filter((line) => line.dataset.severity === "1").length;
  const fresh = open.filter((line) => line.dataset.state === "raised").length;
  const next = open.length ? `${critical ? `‼${critical} ` : ""}(${fresh}/${open.length}) ${title}` : title;
  if (document.title !== next) document.title = next;
}

form.addEventListener("change", keep);
form.addEventListener("reset", () => setTimeout(keep));
form.addEventListener("submit", (event) => event.preventDefault());

function keep() {
  const state = [...form.querySelectorAll("input:checked")].map((box) => `${box.name}=${box.value}`);
  sessionStorage.setItem(FILTER_KEY, JSON.stringify(state));
  sift();
}

export function start() {
  const state = new Set(JSON.parse(sessionStorage.getItem(FILTER_KEY) ?? "[]"));
  for (const box of form.querySelectorAll("input")) box.checked = state.has(`${box.name}=${box.value}`);
  before = portrait(queue);
  dress();
}

/** The line that comes after a decision: the first that nobody has decided about; null where there is none. */
export function following(id) {
  if (!setting("next")) return null;
  return lines().find(
    (line) =>
      part(line) === "active" &&
      line.dataset.incident !== id &&
      !line.hidden &&
      ["raised", "acknowledged"].includes(line.dataset.state),
  ) ?? null;
}

export function step(by) {
  const items = lines().filter((line) => !line.hidden && line.checkVisibility());
  if (items.length === 0) return;
  const at = items.findIndex((item) => item === document.activeElement);
  const from = at >= 0 ? at : items.findIndex((item) => item.dataset.incident === openId);
  const next = from < 0 ? 0 : Math.min(items.length - 1, Math.max(0, from + by));
  items[next].focus();
}
