// Whose hands are on what: this page says what it has open, and shows what the others have.

const EVERY_MS = 4000;
const $ = (id) => document.getElementById(id);
const main = $("main");
const page = [...crypto.getRandomValues(new Uint8Array(8))].map((n) => n.toString(16).padStart(2, "0")).join("");

let around = {};
let last = "";
let asked = 0;

/** Who else decides about an incident now, as names. */
export function deciding(incident) {
  return (around[incident] ?? []).filter((one) => one.doing === "deciding").map((one) => one.name);
}

function words(incident) {
  const of = (doing) => (around[incident] ?? []).filter((one) => one.doing === doing).map((one) => one.name);
  return ["deciding", "looking"]
    .map((doing) => [doing, of(doing)])
    .filter(([, names]) => names.length > 0)
    .map(([doing, names]) => main.dataset[doing].replace("#", names.join(main.dataset.comma)))
    .join(main.dataset.comma);
}

/** Writes the others' names where they belong: on the lines of the queue, and on the open incident. */
export function showHands() {
  for (const line of document.querySelectorAll("#queue .item")) put(line, line.dataset.incident);
  const open = document.querySelector("#detail [data-open]");
  if (open) put(open, open.dataset.open);
}

function put(root, incident) {
  const place = root.querySelector("[data-hands]");
  if (!place) return;
  const text = words(incident);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
  place.classList.toggle("busy", deciding(incident).length > 0);
}

/**
 * Tells and asks every few seconds, and at once when something has changed here. `state()` says what is
 * open and whether somebody is in the middle of deciding; `calls(n)` hears how many calls wait.
 */
export function follow(state, calls) {
  const csrf = $("letters").dataset.csrf;

  async function tell() {
    const { incident, busy } = state();
    const body = JSON.stringify({ page, incident: incident || null, doing: busy ? "deciding" : "looking" });
    last = body;
    asked = Date.now();
    try {
      const answer = await fetch("/console/hands", {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
        body,
      });
      if (!answer.ok) return;
      const found = await answer.json();
      around = found.hands;
      showHands();
      calls(found.calls);
    } catch {
      // No line: the head of the page says so already.
    }
  }

  setInterval(() => {
    const { incident, busy } = state();
    const now = JSON.stringify({ page, incident: incident || null, doing: busy ? "deciding" : "looking" });
    // Behind another window nobody looks at anything.
    if (document.visibilityState !== "visible") return;
    if (now !== last || Date.now() - asked >= EVERY_MS) tell();
  }, 500);
  window.addEventListener("pagehide", () => {
    const body = JSON.stringify({ page, incident: null, doing: "looking" });
    fetch("/console/hands", {
      method: "POST",
      keepalive: true,
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body,
    }).catch(() => {});
  });
  tell();
}

/** Asks before somebody presses where another is deciding. Never hinders: whoever says yes, goes on. */
export function askBeforeTakingOver() {
  const dialog = $("take-over");
  document.body.addEventListener("htmx:confirm", (event) => {
    const open = document.querySelector("#detail [data-open]");
    if (!open || !event.target.closest?.("#detail")) return;
    const names = deciding(open.dataset.open);
    if (names.length === 0) return;
    event.preventDefault();
    const back = document.activeElement;
    $("take-over-words").textContent = dialog.dataset.words.replace("#", names.join(main.dataset.comma));
    dialog.returnValue = "no";
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue === "yes") event.detail.issueRequest(true);
        else back?.focus();
      },
      { once: true },
    );
    dialog.showModal();
  });
}
