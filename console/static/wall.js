// The wall: asks again for what changes, counts the clock on, keeps the screen awake.

import { countAges, debounced, fetchPart, listen, replace } from "./live.js";

const wall = document.getElementById("wall");
const clock = document.getElementById("wall-time");
const day = document.getElementById("wall-day");
const lang = document.documentElement.lang;

async function refresh() {
  const html = await fetchPart(wall.dataset.url);
  if (html === null) return;
  replace(wall, html);
  heard(wall);
}

const ask = debounced(refresh, 800);
const heard = listen({ incident: ask, dispatch: ask, device: ask }, ask);
heard(wall);
countAges();

// The server's clock: that of the computer behind a screen may be minutes off.
const skew = Date.now() - Date.parse(document.body.dataset.now);
const zone = { timeZone: clock.dataset.zone };
const hands = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat(lang, { ...zone, dateStyle: "medium" });
setInterval(() => {
  const now = new Date(Date.now() - skew);
  clock.textContent = hands.format(now);
  day.textContent = date.format(now);
}, 500);

// A computer that goes to sleep takes the wall with it. Not every browser knows how to stay awake.
async function stayAwake() {
  if (document.visibilityState !== "visible") return;
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // It may be refused; the computer's own settings decide then.
  }
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
