// The operator's page: keeps queue, plan, strip and the open incident up to date. Nothing moves under a hand
// that is about to press, and nothing that somebody has begun to answer is swept away.

import { askBeforeTakingOver, follow, showHands } from "./hands.js";
import "./keys.js";
import { countAges, debounced, fetchPart, listen, replace } from "./live.js";
import { following, refreshQueue, setOpen, start } from "./queue.js";

const $ = (id) => document.getElementById(id);
const [board, feed, detail, calls] = ["board", "feed", "detail", "calls"].map($);
const main = $("main");
// A state in which nobody at the desk has anything to do with it for now.
const DONE = new Set(["dispatched", "resolved", "closed", "false_alarm", "merged", "auto_cleared"]);

let openId = detail.querySelector("[data-open]")?.dataset.open ?? "";

// ── The open incident ────────────────────────────────────────────────────────

function mark() {
  for (const sign of board.querySelectorAll(".incident")) {
    sign.classList.toggle("open", sign.dataset.incident === openId);
  }
}

function way() {
  board.dataset.url = `/console/fragments/plan${openId ? `?incident=${encodeURIComponent(openId)}` : ""}`;
}

async function open(id, { focus = false } = {}) {
  openId = id;
  setOpen(id);
  mark();
  way();
  const html = await fetchPart(`/console/fragments/incident/${encodeURIComponent(id)}`);
  if (html === null || openId !== id) return;
  putDetail(html);
  main.classList.add("chosen");
  detail.scrollTop = 0;
  // Where the page itself scrolls, the incident stands at its top.
  if (matchMedia("(max-width: 760px)").matches) window.scrollTo(0, 0);
  history.replaceState(null, "", `/console?incident=${encodeURIComponent(id)}`);
  if (focus) detail.focus({ preventScroll: true });
  askBoard();
}

function putDetail(html) {
  $("detail-stale").hidden = true;
  replace(detail, html);
  ready();
}

/** What a fresh incident needs: the others' hands, and whom to send in sight where that is what comes next. */
function ready() {
  showHands();
  const box = detail.querySelector("[data-open]");
  const send = detail.querySelector("#tray-dispatch");
  const next = box && ["confirmed", "reopened"].includes(box.dataset.state) && !("aside" in box.dataset);
  if (send && next && !matchMedia("(max-width: 760px)").matches) send.open = true;
}

/** Whether somebody is in the middle of answering: their answer must not be swept away. */
function answering() {
  const field = document.activeElement;
  if (detail.contains(field) && field.matches("input, select, textarea")) return true;
  return chosen();
}

function chosen() {
  return [...detail.querySelectorAll("input[type=text], textarea")].some((f) => f.value !== f.defaultValue)
    || [...detail.querySelectorAll("select")].some((f) => ![...f.options].every((o) => o.selected === o.defaultSelected || (o.index === 0 && o.selected)))
    || [...detail.querySelectorAll("input[type=checkbox], input[type=radio]")].some((f) => f.checked !== f.defaultChecked)
    || detail.querySelector("details.tray[open]:not(#tray-dispatch)") !== null;
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
  const trays = [...detail.querySelectorAll("details[open]")].map((one) => one.id).filter(Boolean);
  const led = [...detail.querySelectorAll("details[data-led]")].map((one) => one.id).filter(Boolean);
  const shut = detail.querySelector("#tray-dispatch:not([open])") !== null;
  const had = detail.contains(document.activeElement) ? document.activeElement : null;
  putDetail(html);
  for (const tray of trays) if ($(tray)) $(tray).open = true;
  // Whoever was led into it and has not gone there yet is led there still: their key must not close it.
  for (const tray of led) if ($(tray)) $(tray).dataset.led = "";
  if (shut && version(next) === version(detail) && $("tray-dispatch")) $("tray-dispatch").open = trays.includes("tray-dispatch");
  // Only now is what lies in a tray there to have the focus again.
  if (had && had !== detail && document.activeElement === document.body) {
    ((had.id && $(had.id)) || detail).focus({ preventScroll: true });
  }
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
  const html = await fetchPart(element.dataset.url, true);
  if (html !== null) replace(element, html);
  mark();
}

const askQueue = debounced(() => refreshQueue(heard), 400);
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
start();
setOpen(openId);
mark();
way();
ready();
heard($("queue"));
askBeforeTakingOver();

let phoned = 0;
follow(
  () => ({ incident: openId, busy: openId !== "" && chosen() }),
  (waiting) => {
    if (waiting === phoned) return;
    phoned = waiting;
    // Not while somebody is at it.
    if (!calls.contains(document.activeElement)) refreshPart(calls);
  },
);

// ── Our own actions ──────────────────────────────────────────────────────────

document.body.addEventListener("ringward:acted", () => {
  $("detail-stale").hidden = true;
  askQueue();
  askBoard();
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== detail) return;
  ready();
  const refused = detail.querySelector('.notice.bad[role="alert"]');
  // Why a button was refused stands at the top, which may be out of sight where the button was.
  refused?.scrollIntoView({ block: "nearest" });
  const box = detail.querySelector("[data-open]");
  const over = box && !refused && (DONE.has(box.dataset.state) || "aside" in box.dataset);
  const next = over ? following(box.dataset.open) : null;
  if (next) {
    open(next.dataset.incident, { focus: true });
    return;
  }
  // The button that was pressed is gone; whoever goes on by keyboard is at what comes next.
  const at = document.activeElement;
  if (at === document.body || at === detail || !at?.isConnected) {
    const send = detail.querySelector("#tray-dispatch[open] [data-first]");
    if (send && !refused) {
      send.closest("details").dataset.led = "";
      send.focus({ preventScroll: true });
    } else detail.focus({ preventScroll: true });
  }
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.responseURL.includes("/sign-in")) location.reload();
});
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});
