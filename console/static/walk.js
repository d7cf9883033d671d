// Patrol and duty: presses that are kept without a network; with one, the page follows at once.

import { pressing } from "./pressing.js";

const after = document.body.dataset.after;

// What the server took changes the page: it is fetched anew, or the one that comes after it.
pressing(document.getElementById("rounds") ?? document.body, async () => {
  const refused = (await self.Presses.all()).some((one) => one.state === "refused");
  if (!refused) location.assign(after ?? location.pathname);
});
navigator.serviceWorker?.register("/worker.js").then(() => navigator.serviceWorker.ready).then((one) => one.active?.postMessage("stock"), () => {});
