// Forms as presses: what is pressed is kept, shown on its card at once, and sent when there is a line.
// A form says with `data-press` that it is one; without this script it is an ordinary form.

import "/static/presses.js";

const { Presses } = self;
const RETRY_MS = 10_000;
const words = JSON.parse(document.getElementById("pressing")?.dataset.words ?? "{}");
const user = document.body.dataset.user || null;

const GOING = new Set(["accepted", "assisting", "en_route", "arrived"]);
const FURTHER = { offered: 0, taken: 0, accepted: 1, assisting: 1, en_route: 2, arrived: 3, said: 4 };
// What a press makes of a card until the server has said.
const NEXT = {
  accept: { now: "accepted", lead: true }, assist: { now: "assisting" }, depart: { now: "en_route" },
  arrive: { now: "arrived" }, help: { help: true }, all_right: { help: false, asked: false },
  resolve: { now: "said" }, decline: { now: "said" }, hand_over: { lead: false },
};

/** Presses of the forms under `root`; `refresh` fetches what the server has now. */
export function pressing(root, refresh = async () => {}) {
  let sending = false;

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-press]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    const button = event.submitter;
    const held = button !== null && document.activeElement === button;
    if (button) button.disabled = true;
    try {
      await kept(form);
    } catch (error) {
      said(error.message === "full" ? words.full : words.unkept, true);
      // Nothing can be kept here (a private window): then it is sent as a page sends it, or not at all.
      if (error.message !== "full" && navigator.onLine && form.getAttribute("action")) form.submit();
      return;
    } finally {
      if (button) button.disabled = false;
    }
    await paint();
    if (held) carryOn(form, button);
    await send();
    if (held) carryOn(form, button);
  });

  /** Whoever works with keys goes on where they pressed: there, at the card's next press, or at the beginning. */
  function carryOn(form, button) {
    if (document.activeElement && document.activeElement !== document.body) return;
    const card = form.dataset.of && root.querySelector(`[data-task="${CSS.escape(form.dataset.of)}"]`);
    const others = [...(card || root).querySelectorAll("button, a[href]")];
    const next = [button, ...others].find((one) => one.isConnected && !one.disabled && one.offsetParent !== null);
    if (next) next.focus({ preventScroll: !card });
    else {
      root.tabIndex = -1;
      root.focus({ preventScroll: true });
    }
  }

  async function kept(form) {
    const given = form.pressed ? await form.pressed() : { body: fields(form), ...(await taken(form)) };
    await Presses.add({
      user,
      url: form.dataset.url,
      task: form.dataset.of ?? null,
      reply: form.dataset.press,
      label: form.dataset.label || form.querySelector("button")?.textContent.trim(),
      pressed: form.dataset.pressed === "" ? null : form.dataset.pressed ?? "pressed_at",
      sent: form.dataset.pressed === "" || form.dataset.sent === "" ? null : form.dataset.sent ?? "sent_at",
      fine: form.dataset.fine?.split(" ") ?? null,
      ...given,
    });
    form.dispatchEvent(new CustomEvent("kept", { bubbles: true }));
  }

  async function send() {
    if (sending) return;
    sending = true;
    try {
      const before = await settled();
      const how = await Presses.flush();
      note.dataset.state = how;
      if ((await settled()) !== before) await refresh();
    } catch {
      note.dataset.state = "later";
    } finally {
      sending = false;
    }
    await paint();
  }

  const settled = async () => (await Presses.all()).filter((one) => one.settled).map((one) => one.n).join();

  // ── Showing ────────────────────────────────────────────────────────────────

  async function paint() {
    const rows = await Presses.all();
    for (const card of root.querySelectorAll("[data-task]")) show(card, rows);
    const shown = new Set([...root.querySelectorAll("[data-task]")].map((one) => one.dataset.task));
    lines(note, rows.filter((one) => !shown.has(one.task)));
    const count = rows.filter((one) => one.state === "waiting").length;
    document.body.dataset.waiting = count;
    if (count && note.dataset.state === "sign_in") said(words.sign_in, true);
    dispatchEvent(new CustomEvent("painted"));
  }

  function show(card, rows) {
    const own = rows.filter((one) => one.task === card.dataset.task);
    const seen = { now: card.dataset.now, lead: card.dataset.leads === "yes", help: card.dataset.help === "yes", asked: card.dataset.asked === "yes" };
    for (const one of own.filter((row) => row.state === "waiting")) {
      const next = { ...(NEXT[one.reply] ?? {}) };
      // The server may know of it already, only its answer was lost.
      if (next.now && FURTHER[next.now] <= (FURTHER[seen.now] ?? 0)) continue;
      Object.assign(seen, next);
    }
    seen.going = GOING.has(seen.now);
    card.dataset.shown = seen.now;
    for (const part of card.querySelectorAll("[data-when]")) {
      const states = part.dataset.when.split(" ");
      const flags = (part.dataset.if ?? "").split(" ").filter(Boolean);
      const fits = flags.every((flag) => (flag.startsWith("!") ? !seen[flag.slice(1)] : seen[flag]));
      part.hidden = !(states.includes(seen.now) && fits);
    }
    const place = card.querySelector("[data-said]");
    if (place) lines(place, own);
  }

  function lines(place, rows) {
    const open = rows.filter((one) => one.state === "waiting" || one.state === "refused" || one.late);
    const text = JSON.stringify(open.map((one) => [one.n, one.state]));
    if (place.dataset.shows === text) return;
    place.dataset.shows = text;
    place.replaceChildren(...open.map(line));
  }

  function line(one) {
    const made = document.createElement("p");
    made.className = `press-line ${one.state}`;
    made.dataset.press = one.state;
    const mark = document.createElement("span");
    mark.setAttribute("aria-hidden", "true");
    mark.textContent = { waiting: "…", sent: "✓", refused: "✗" }[one.state];
    const what = document.createElement("span");
    what.textContent = sentence(one);
    made.append(mark, what);
    if (one.reply === "help" && one.state !== "sent") {
      made.classList.add("urgent");
      const call = document.createElement("a");
      call.className = "button danger";
      call.href = "tel:110";
      call.textContent = words.call;
      made.append(call);
    }
    if (one.settled) {
      const away = document.createElement("button");
      away.type = "button";
      away.className = "quiet";
      away.textContent = words.seen;
      away.addEventListener("click", async () => {
        await Presses.remove(one.n);
        await paint();
      });
      made.append(away);
    }
    return made;
  }

  function sentence(one) {
    const when = new Date(one.at).toLocaleTimeString(document.documentElement.lang, {
      hour: "2-digit", minute: "2-digit", hour12: false, timeZone: document.body.dataset.zone || undefined,
    });
    const named = (text) => text.replace("#label", one.label ?? "").replace("#at", when);
    if (one.state === "waiting") return named(one.reply === "help" ? words.help_waiting : words.waiting);
    if (one.state === "refused") {
      const why = words.codes[one.outcome] ?? words.codes.other;
      return named(one.reply === "help" ? words.help_refused : words.refused).replace("#why", why);
    }
    return named(words.outcomes[`${one.reply}.${one.outcome}`] ?? words.outcomes[one.outcome] ?? words.sent);
  }

  function said(text, bad) {
    const made = document.createElement("p");
    made.className = `press-line ${bad ? "refused" : "sent"}`;
    made.textContent = text ?? "";
    note.prepend(made);
    note.dataset.shows = "";
  }

  const note = document.getElementById("pressing");
  Presses.onchange(paint);
  const again = () => document.visibilityState === "visible" && send();
  addEventListener("online", again);
  document.addEventListener("visibilitychange", again);
  setInterval(() => Number(document.body.dataset.waiting) && send(), RETRY_MS);
  Presses.tidy().then(paint).then(send, () => {});
  return { paint, send };
}

/** What a form holds, without the token, which is another one when it is sent. */
export function fields(form) {
  const given = {};
  for (const [name, value] of new FormData(form)) {
    if (name !== "csrf_token" && typeof value === "string" && value !== "") given[name] = value;
  }
  return given;
}

/** The photo that goes after a press, where its form has one and somebody took it. */
async function taken(form) {
  const file = form.dataset.photoUrl && form.querySelector('input[type="file"]')?.files[0];
  return file?.size ? { photo: await photo(file), photoUrl: form.dataset.photoUrl } : {};
}

/** A photo as small as it may be and still be seen; what the camera wrote into it stays behind. */
export async function photo(file) {
  const LONGEST = 1600;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
    return made ?? file;
  } catch {
    return file;
  }
}

/** Sign-out asks first where something still waits, and leaves nothing behind. */
document.addEventListener("submit", async (event) => {
  const form = event.target.closest('form[action="/sign-out"]');
  if (!form || form.dataset.asked) return;
  event.preventDefault();
  const count = (await Presses.waiting().catch(() => [])).length;
  if (count && !confirm(words.sign_out?.replace("#", count) ?? "")) return;
  await Presses.forget().catch(() => {});
  form.dataset.asked = "yes";
  form.requestSubmit();
});
