// The guard's list of expected visitors: fetched while there is a line, kept on this phone until the shift
// ends (eight hours at most) or somebody signs out, searched by plate or by the code of a pass.

import "/static/presses.js";

const { Presses } = self;
const box = document.getElementById("expected");
const words = JSON.parse(box?.dataset.words ?? "{}");
const list = document.getElementById("list");
const state = document.getElementById("list-state");
const search = document.getElementById("list-search");
const SHOWN = 60;
const LATE_MS = 5 * 60_000;

// Signs that are read for one another, on plates and by people.
const TWINS = ["0ODQ", "1ILT", "2Z", "5S", "8B", "6G", "4A", "UV", "7T"];

let held = null;
let digest = "";
let admitted = new Set();

const clean = (text) => text.toUpperCase().replace(/[\s·•.\-]/g, "");

/** What stands in the way of two plates being one: 0 for none, Infinity for another plate altogether. */
export function apart(one, other) {
  if (one.length !== other.length) return Infinity;
  let steps = 0;
  for (let i = 0; i < one.length; i += 1) {
    if (one[i] === other[i]) continue;
    steps += TWINS.some((twins) => twins.includes(one[i]) && twins.includes(other[i])) ? 1 : 2;
  }
  return steps;
}

const NEAR = 2;

function found() {
  const typed = clean(search.value);
  const rows = held?.value.passes ?? [];
  if (!typed) return rows.map((row) => ({ row, near: false }));
  const coded = rows.filter((row) => row.code && digest.startsWith(row.code));
  if (coded.length) return coded.map((row) => ({ row, near: false }));
  const plated = rows.filter((row) => row.plate && clean(row.plate).includes(typed));
  if (plated.length) return plated.map((row) => ({ row, near: false }));
  return rows
    .filter((row) => row.plate && apart(clean(row.plate), typed) <= NEAR)
    .map((row) => ({ row, near: true }));
}

async function read() {
  digest = "";
  const text = search.value.trim();
  if (text.length > 12 && self.crypto.subtle) {
    const bytes = await self.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    digest = [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");
  }
  draw();
}

const clock = (moment) =>
  new Date(moment).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", hour12: false, timeZone: document.body.dataset.zone || undefined,
  });

const day = (moment) =>
  new Date(moment).toLocaleDateString(document.documentElement.lang, {
    month: "short", day: "numeric", timeZone: document.body.dataset.zone || undefined,
  });

// A pass of yesterday's may end tomorrow: an hour alone would look as if it were over.
const when = (moment, now) => (day(moment) === day(now) ? clock(moment) : `${day(moment)} ${clock(moment)}`);

const part = (name, text, look = "") => {
  const made = document.createElement(name);
  made.textContent = text;
  if (look) made.className = look;
  return made;
};

function line({ row, near }) {
  const made = document.createElement("li");
  made.dataset.pass = row.id;
  // The list may have been fetched hours ago: what counts is the time now, by the server's clock.
  const now = Date.parse(held.value.at) + (Date.now() - held.at);
  const open = Date.parse(row.starts_at) <= now && now <= Date.parse(row.ends_at) && row.state !== "used_up";
  const shown = admitted.has(row.id) ? "admitted" : open ? "valid" : row.state === "used_up" ? "used_up" : "later";
  const what = document.createElement("span");
  what.append(part("strong", row.plate ?? words.no_plate, row.plate ? "mono" : ""), " ");
  const until = Date.parse(row.starts_at) > now
    ? words.from_time.replace("#", when(row.starts_at, now))
    : words.until_time.replace("#", when(row.ends_at, now));
  what.append(part("span", [row.destination, words[`kind_${row.kind}`], until].filter(Boolean).join(" · "), "hint"));
  made.append(what);
  made.append(part("span", words[shown === "admitted" ? "admitted" : `state_${shown}`], `chip ${{ valid: "ok", admitted: "done", used_up: "bad" }[shown] ?? ""}`));
  if (open && !admitted.has(row.id)) made.append(near ? question(row) : button(row));
  return made;
}

function question(row) {
  const made = document.createElement("div");
  made.className = "near";
  made.append(part("strong", words.near_list.replace("#read", search.value.trim()).replace("#plate", row.plate)));
  const no = part("button", words.near_no);
  no.type = "button";
  no.addEventListener("click", () => made.closest("li").remove());
  const yes = button(row);
  yes.textContent = `${words.near_yes} · ${words.admit}`;
  const both = document.createElement("div");
  both.className = "row";
  both.append(yes, no);
  made.append(both);
  return made;
}

function button(row) {
  const made = part("button", words.admit, "primary");
  made.type = "button";
  made.addEventListener("click", async () => {
    made.disabled = true;
    admitted.add(row.id);
    await Presses.add({
      user: document.body.dataset.user || held.user,
      url: `/api/v1/passes/${encodeURIComponent(row.id)}/uses`,
      task: `pass:${row.id}`,
      reply: "admit",
      label: `${words.admit} ${row.plate ?? words.no_plate}`,
      body: { zone: held.value.zone, use_id: self.crypto.randomUUID?.() ?? String(Math.random()).slice(2) },
      pressed: "at",
      sent: "sent_at",
    });
    search.value = "";
    await read();
    dispatchEvent(new CustomEvent("admitted"));
  });
  return made;
}

function draw() {
  const rows = found();
  list.replaceChildren(...rows.slice(0, SHOWN).map(line));
  const old = held && (!navigator.onLine || Date.now() - held.at > LATE_MS);
  const text = held
    ? `${(old ? words.list_offline : words.list_at).replace("#", clock(held.at))} · ${words.list_until.replace("#", clock(held.until))}`
    : words.list_missing;
  const none = held && !rows.length ? (search.value ? words.list_nothing : words.list_none) : "";
  const said = [none, text].filter(Boolean).join(" ");
  if (state.textContent !== said) state.textContent = said;
  state.dataset.count = held?.value.passes.length ?? "";
}

/** Shows what is kept; it is somebody's own, and gone when its time is over. */
export async function shown(user = null) {
  held = await Presses.kept("gate").catch(() => null);
  if (held && user && held.user !== user) {
    await Presses.drop("gate");
    held = null;
  }
  draw();
  return held;
}

/** Fetches the list of a gate and keeps it. False where there is no line. */
export async function fetched(zone, user) {
  try {
    const answer = await fetch(`/api/v1/gate/expected?${new URLSearchParams({ zone })}`, {
      credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout?.(10_000),
    });
    if (!answer.ok) return false;
    const found = await answer.json();
    // By this phone's own clock: as long from now as the server says.
    const left = Date.parse(found.expires_at) - Date.parse(found.at);
    await Presses.keep("gate", found, user, Date.now() + left);
    admitted = new Set(
      (await Presses.all()).filter((one) => one.reply === "admit" && one.state === "waiting").map((one) => one.task.slice(5)),
    );
    await shown(user);
    return true;
  } catch {
    return false;
  }
}

/** What a camera read goes where it is looked for. */
export async function look(text) {
  search.value = text;
  await read();
}

if (box) {
  search.addEventListener("input", read);
  setInterval(async () => {
    if (document.activeElement === search) return;
    await shown(document.body.dataset.user || null);
  }, 30_000);
}
