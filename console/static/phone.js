// The volunteer's page: a new alert is felt as well as seen, and who took it is known at once.

import { countAges, debounced, fetchPart, listen } from "./live.js";

const tasks = document.getElementById("tasks");

const offers = (root) => new Set((root.querySelector("[data-offers]")?.dataset.offers ?? "").split(" ").filter(Boolean));
const states = (root) => [...root.querySelectorAll("[data-task]")].map((t) => t.dataset.task + t.dataset.state).join();

async function refresh() {
  const html = await fetchPart(tasks.dataset.url);
  if (html === null) return;
  const next = document.createElement("div");
  next.innerHTML = html;
  heard(next);
  const known = offers(tasks);
  const fresh = [...offers(next)].some((id) => !known.has(id));
  const note = tasks.querySelector("textarea");
  if (note && note.value && states(next) === states(tasks)) return; // A note half written stays.
  tasks.innerHTML = html;
  window.htmx?.process(tasks);
  if (fresh) {
    navigator.vibrate?.([300, 120, 300]);
    window.scrollTo({ top: 0 });
  }
}

const ask = debounced(refresh, 300);
const heard = listen({ dispatch: ask, incident: ask }, ask);
countAges();
heard(tasks);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.responseURL.includes("/sign-in")) location.reload();
});
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});
