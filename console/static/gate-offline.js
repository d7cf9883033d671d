// The guard's shell without a network: the kept list, and what waits. The page itself comes with the line.

import { shown } from "./gatelist.js";
import { pressing } from "./pressing.js";

const { send } = pressing(document.body);

async function back() {
  try {
    const answer = await fetch("/api/v1/me", { cache: "no-store", signal: AbortSignal.timeout?.(4000) });
    if (answer.status < 500) location.reload();
  } catch {
    // Not yet.
  }
}

const held = await shown();
if (held) document.body.dataset.user = held.user;
addEventListener("admitted", send);
addEventListener("online", async () => {
  await send();
  await back();
});
// Whoever types is not interrupted: the line is looked for when the field is empty.
setInterval(() => document.getElementById("list-search").value === "" && back(), 5_000);
