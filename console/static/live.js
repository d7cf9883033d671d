// The live stream of the page: one EventSource, its state shown in words, and a way to ask
// for parts of the page again without disturbing whoever is working on them.

const SAFETY_MS = 30_000;

/** Opens the stream; `on` maps event names to functions of their data. */
export function listen(on, refreshAll) {
  const state = document.getElementById("link-state");
  const after = document.body.dataset.position;
  const source = new EventSource(`/api/v1/stream${after ? `?after=${after}` : ""}`);
  let lostAt = null;

  const show = (name, text) => {
    if (!state || (state.dataset.state === name && state.textContent === text)) return;
    state.dataset.state = name;
    state.textContent = text;
  };
  const lost = () => {
    if (!state) return;
    lostAt ??= new Date().toLocaleTimeString(document.documentElement.lang, { hour12: false });
    show("lost", state.dataset.lost.replace("#", lostAt));
  };

  const live = () => {
    lostAt = null;
    show("live", state?.dataset.live);
  };

  source.addEventListener("open", () => {
    // What happened while the line was down is fetched, not guessed.
    if (lostAt !== null) refreshAll();
    live();
  });
  source.addEventListener("error", lost);
  source.addEventListener("reset", refreshAll);
  for (const [name, act] of Object.entries(on)) {
    source.addEventListener(name, (event) => act(JSON.parse(event.data)));
  }
  // The stream only says what changed. Should it ever stay silent by mistake, the page
  // must still not show an old state as the present one.
  setInterval(refreshAll, SAFETY_MS);
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());

  // The line to the server may stand while the server itself hears nothing from the bus;
  // every part that is fetched says whether it does.
  return function heard(root) {
    const up = root.querySelector("[data-hears]")?.dataset.hears;
    if (up === "no") lost();
    else if (up === "yes" && source.readyState === EventSource.OPEN) live();
  };
}

/** Runs `act` at most once in `ms`, and once more after the last call. */
export function debounced(act, ms) {
  let timer = null;
  let again = false;
  return function ask() {
    if (timer !== null) {
      again = true;
      return;
    }
    act();
    timer = setTimeout(() => {
      timer = null;
      if (again) {
        again = false;
        ask();
      }
    }, ms);
  };
}

const tags = new Map();

/**
 * The text of a part of the page, or null where there is none (signed out, gone, no line). With `changed` it
 * is null, too, where the part says nothing else than when it was asked for last.
 */
export async function fetchPart(url, changed = false) {
  const headers = { "HX-Request": "true" };
  if (changed && tags.has(url)) headers["If-None-Match"] = tags.get(url);
  let answer;
  try {
    answer = await fetch(url, { headers, credentials: "same-origin", cache: "no-store" });
  } catch {
    return null;
  }
  if (answer.redirected) {
    location.reload(); // The session has ended: the page itself knows where to go.
    return null;
  }
  if (!answer.ok) return null;
  const tag = answer.headers.get("ETag");
  if (tag) tags.set(url, tag);
  return answer.text();
}

/** Puts new content into an element; focus and scroll position stay where they were. */
export function replace(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  const scroll = element.scrollTop;
  element.innerHTML = html;
  window.htmx?.process(element);
  element.scrollTop = scroll;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return true;
}

/** Counts the ages on, so that "12 s" does not stay "12 s". */
export function countAges() {
  // Counted on the server's clock: that of a control-room computer may be minutes off.
  const skew = Date.now() - Date.parse(document.body.dataset.now);
  const units = JSON.parse(document.body.dataset.units);
  const text = (seconds) => {
    if (seconds < 60) return units.s.replace("#", seconds);
    if (seconds < 3600) return units.min.replace("#", Math.floor(seconds / 60));
    if (seconds < 86400) return units.h.replace("#", Math.floor(seconds / 3600));
    return units.d.replace("#", Math.floor(seconds / 86400));
  };
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() - skew - Date.parse(element.dataset.since)) / 1000));
      const next = text(seconds);
      if (element.textContent !== next) element.textContent = next;
    }
  }, 1000);
}
