// The operator's page: keeps queue, plan, strip and the open incident up to date, and lets
// the keyboard do all of it. Nothing moves under a pointer that is about to press.

import { countAges, debounced, fetchPart, listen, replace } from "./live.js";

const HOLD_MS = 4000;
const $ = (id) => document.getElementById(id);
const [queue, board, feed, detail] = ["queue", "board", "feed", "detail"].map($);
const main = $("main");
const held = $("queue-held");

let openId = detail.querySelector("[data-open]")?.dataset.open ?? "";
let pointerMoved = 0;
let waiting = null;

// ── Queue ────────────────────────────────────────────────────────────────────

queue.addEventListener("pointermove", () => (pointerMoved = Date.now()));
queue.addEventListener("pointerleave", () => {
  pointerMoved = 0;
  release();
});

function order(root) {
  return [...root.querySelectorAll(".item")].map((item) => item.id).join();
}

function release() {
  if (waiting === null) return;
  const html = waiting;
  waiting = null;
  held.hidden = true;
  putQueue(html);
}

function putQueue(html) {
  replace(queue, html);
  mark();
}

async function refreshQueue() {
  const html = await fetchPart(queue.dataset.url);
  if (html === null) return;
  const next = document.createElement("div");
  next.innerHTML = html;
  heard(next);
  const pointing = Date.now() - pointerMoved < HOLD_MS && queue.matches(":hover");
  if (pointing && order(next) !== order(queue)) {
    // A line must not slip away between aiming and pressing.
    waiting = html;
    held.hidden = false;
    setTimeout(() => Date.now() - pointerMoved >= HOLD_MS && release(), HOLD_MS + 50);
    return;
  }
  waiting = null;
  held.hidden = true;
  putQueue(html);
}

function mark() {
  for (const item of queue.querySelectorAll(".item")) {
    if (item.dataset.incident === openId) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }
  for (const sign of board.querySelectorAll(".incident")) {
    sign.classList.toggle("open", sign.dataset.incident === openId);
  }
}

// ── The open incident ────────────────────────────────────────────────────────

async function open(id, { focus = false } = {}) {
  openId = id;
  mark();
  const html = await fetchPart(`/console/fragments/incident/${encodeURIComponent(id)}`);
  if (html === null || openId !== id) return;
  putDetail(html);
  main.classList.add("chosen");
  detail.scrollTop = 0;
  // Where the page itself scrolls, the incident stands at its top.
  if (matchMedia("(max-width: 760px)").matches) window.scrollTo(0, 0);
  history.replaceState(null, "", `/console?incident=${encodeURIComponent(id)}`);
  if (focus) detail.focus({ preventScroll: true });
}

function putDetail(html) {
  $("detail-stale").hidden = true;
  replace(detail, html);
}

/** Whether somebody is in the middle of answering: their answer must not be swept away. */
function answering() {
  const field = document.activeElement;
  if (detail.contains(field) && field.matches("input, select, textarea")) return true;
  return [...detail.querySelectorAll("input[type=text], textarea, select")].some((f) => f.value !== "")
    || detail.querySelector("input[type=radio]:checked") !== null
    || [...detail.querySelectorAll("input[type=checkbox]")].some((f) => f.checked !== f.defaultChecked);
}

async function refreshDetail() {
  const id = openId;
  if (!id) return;
  const html = await fetchPart(`/console/fragments/incident/${encodeURIComponent(id)}`);
  if (html === null || openId !== id) return;
  const next = document.createElement("div");
  next.innerHTML = html;
  const version = (root) => root.querySelector("[data-open]")?.dataset.version;
  if (answering()) {
    $("detail-stale").hidden = version(next) === version(detail);
    return;
  }
  putDetail(html);
}

$("detail-reload").addEventListener("click", () => open(openId, { focus: true }));

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-incident]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  open(link.dataset.incident, { focus: event.detail === 0 });
});

// ── Live ─────────────────────────────────────────────────────────────────────

async function refreshPart(element) {
  const html = await fetchPart(element.dataset.url);
  if (html !== null) replace(element, html);
  mark();
}

const askQueue = debounced(refreshQueue, 400);
const askBoard = debounced(() => refreshPart(board), 800);
const askFeed = debounced(() => refreshPart(feed), 1000);
const askDetail = debounced(refreshDetail, 400);
const askAll = () => {
  for (const ask of [askQueue, askBoard, askFeed, askDetail]) ask();
};

const heard = listen(
  {
    incident: (data) => {
      askQueue();
      askBoard();
      if (data.id === openId) askDetail();
    },
    dispatch: (data) => data.incident_id === openId && askDetail(),
    sighting: () => askFeed(),
    event: () => askFeed(),
    device: () => askBoard(),
  },
  askAll,
);
countAges();
mark();
heard(queue);

// Our own actions: the form's answer replaced the detail, the queue follows at once.
document.body.addEventListener("ringward:acted", () => {
  $("detail-stale").hidden = true;
  askQueue();
  askBoard();
});
// Why a button was refused stands at the top, which may be out of sight where the button was.
document.body.addEventListener("htmx:afterSwap", () => {
  detail.querySelector('.notice.bad[role="alert"]')?.scrollIntoView({ block: "nearest" });
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.responseURL.includes("/sign-in")) location.reload();
});
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});

// ── Keyboard ─────────────────────────────────────────────────────────────────

const help = $("help");
$("help-button").addEventListener("click", () => help.showModal());

function step(by) {
  const items = [...queue.querySelectorAll(".item")];
  if (items.length === 0) return;
  const at = items.findIndex((item) => item === document.activeElement);
  const from = at >= 0 ? at : items.findIndex((item) => item.dataset.incident === openId);
  const next = from < 0 ? 0 : Math.min(items.length - 1, Math.max(0, from + by));
  items[next].focus();
}

function press(key) {
  const target = detail.querySelector(`[data-key="${key}"]`);
  if (!target) return;
  if (target.matches("button")) target.click();
  else target.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const typing = event.target.matches("input[type=text], textarea, select");
  if (event.key === "Escape" && detail.contains(event.target)) {
    queue.querySelector('.item[aria-current="true"]')?.focus();
    return;
  }
  if (typing) return;
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: () => press("a"),
    c: () => press("c"),
    f: () => press("f"),
    d: () => press("d"),
    y: () => press("y"),
    n: () => press("n"),
    u: () => press("u"),
    "?": () => help.showModal(),
  };
  const act = keys[event.key];
  if (!act || (event.repeat && event.key !== "j" && event.key !== "k")) return;
  event.preventDefault();
  act();
});
