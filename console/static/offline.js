// The shell that opens without a network: the copy of the open tasks, what waits, and the page itself as
// soon as there is a line. It knows nobody; what it shows was kept on this phone by the page before it.

import { pressing } from "./pressing.js";

const { Presses } = self;
const tasks = document.getElementById("tasks");
const path = location.pathname;
const LOOK_MS = 5_000;

async function filled() {
  const copy = await Presses.kept("tasks").catch(() => null);
  if (copy) {
    document.body.dataset.user = copy.user ?? "";
    tasks.innerHTML = copy.value;
    document.getElementById("copied").hidden = false;
  } else {
    document.getElementById("nothing").hidden = path.startsWith("/phone/patrol/scan/");
  }
}

/** A code on the wall, read without a network: one press, kept with its moment. */
function scanned() {
  const code = path.match(/^\/phone\/patrol\/scan\/([^/]{1,64})$/)?.[1];
  if (!code) return;
  const form = document.getElementById("scan");
  form.hidden = false;
  form.pressed = () => ({ body: { code: decodeURIComponent(code), client: form.dataset.client } });
  form.dataset.client = (self.crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`.replace(".", "")).slice(0, 64);
  form.addEventListener("kept", () => (form.hidden = true));
}

async function back() {
  try {
    const answer = await fetch("/api/v1/me", { cache: "no-store", signal: AbortSignal.timeout?.(4000) });
    if (answer.status < 500) location.reload();
  } catch {
    // Not yet.
  }
}

await filled();
scanned();
const { paint, send } = pressing(tasks, async () => {});
await paint();
await send();
addEventListener("online", async () => {
  await send();
  await back();
});
setInterval(back, LOOK_MS);
