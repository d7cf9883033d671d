// The guard's page: the list for the time without a network, a camera for codes, and what came of an opening.

import { fetched, look, shown } from "./gatelist.js";
import { pressing } from "./pressing.js";

const user = document.body.dataset.user;
const gate = document.getElementById("own-gate");
const EVERY_MS = 120_000;

const { send } = pressing(document.body, async () => void (gate && (await fetched(gate.value, user))));
addEventListener("admitted", send);

if (gate) {
  await shown(user);
  const kept = (await self.Presses.kept("gate").catch(() => null))?.value.zone;
  if ([...gate.options].some((one) => one.value === kept)) gate.value = kept;
  const again = () => document.visibilityState === "visible" && fetched(gate.value, user);
  gate.addEventListener("change", again);
  addEventListener("online", again);
  addEventListener("offline", () => shown(user));
  document.addEventListener("visibilitychange", again);
  setInterval(again, EVERY_MS);
  await again();
}

// ── A visitor's code before the camera ────────────────────────────────────────

const start = document.getElementById("scan");
const said = document.getElementById("scan-state");
const video = document.getElementById("camera");
const words = JSON.parse(document.getElementById("expected")?.dataset.words ?? "{}");
let stream = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.hidden = true;
  said.textContent = "";
  start.textContent = said.dataset.start;
}

async function scan() {
  if (stream) return stop();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    said.textContent = words.scan_denied ?? "";
    return undefined;
  }
  video.srcObject = stream;
  video.hidden = false;
  said.textContent = said.dataset.aim;
  start.textContent = said.dataset.stop;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (stream) {
    const [code] = await detector.detect(video).catch(() => []);
    if (code?.rawValue) {
      stop();
      return read(code.rawValue);
    }
    await new Promise((done) => setTimeout(done, 150));
  }
  return undefined;
}

/** With a line the server is asked, which knows of a revocation; without, the list. */
async function read(text) {
  const field = document.getElementById("shown");
  field.value = text;
  if (navigator.onLine) field.form.requestSubmit();
  else await look(text);
}

if (start) {
  const can = "BarcodeDetector" in self && navigator.mediaDevices;
  start.hidden = !can;
  if (!can) said.textContent = words.scan_none ?? "";
  start.addEventListener("click", scan);
  addEventListener("pagehide", stop);
}

// ── An opening by hand: once, and what came of it ─────────────────────────────

const form = document.getElementById("open-form");
form?.addEventListener("submit", (event) => {
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  form.querySelector("button").disabled = true;
});
addEventListener("pageshow", (event) => event.persisted && location.reload());

const opening = document.getElementById("opening");
const OPEN = new Set(["pending", "sent"]);

async function follow() {
  while (OPEN.has(opening.dataset.state)) {
    await new Promise((done) => setTimeout(done, 700));
    try {
      const answer = await fetch(`/api/v1/commands/${encodeURIComponent(opening.dataset.command)}`, { cache: "no-store" });
      if (!answer.ok) return;
      const { state } = await answer.json();
      opening.dataset.state = state;
      opening.className = `verdict ${{ acked: "yes", failed: "no", uncertain: "no" }[state] ?? "waits"}`;
      opening.querySelector("strong").textContent = JSON.parse(opening.dataset.words)[state];
    } catch {
      // It is only looked at, never asked for again.
    }
  }
}

if (opening) follow();

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready).then((one) => one.active?.postMessage("stock"), () => {});
}
