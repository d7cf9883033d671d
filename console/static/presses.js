// The presses of a phone: each is kept here until the server has taken it or refused it, in their order.
// A plain script, since pages and the service worker share it. What it keeps is in IndexedDB, on this phone:
// presses that wait (with a photo where one goes with them), a line on each for a while after it was
// answered, and a copy of the open tasks so that they can be read without a network. All of it goes at
// sign-out; the copy goes with the task, and after four hours.

(() => {
  const NAME = "ringward-phone";
  const LOCK = "ringward-presses";
  const API = "/api/v1";
  const COPY_MS = 4 * 3600_000;
  const LINE_MS = { sent: 10 * 60_000, refused: 12 * 3600_000 };
  const MOST = 200;
  // The network's and the server's trouble: the same is tried again. Anything else is an answer.
  const AGAIN = new Set([408, 425, 429]);
  const channel = "BroadcastChannel" in self ? new BroadcastChannel(NAME) : null;
  const heard = new Set();

  // ── The store ──────────────────────────────────────────────────────────────

  let opened = null;

  function open() {
    opened ??= new Promise((done, failed) => {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("presses", { keyPath: "n", autoIncrement: true });
        asked.result.createObjectStore("kept", { keyPath: "name" });
      };
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    }).catch((error) => {
      opened = null;
      throw error;
    });
    return opened;
  }

  /** Runs `work(store)` in one transaction; what it returns is there once everything is written. */
  async function within(name, mode, work) {
    const base = await open();
    return new Promise((done, failed) => {
      const transaction = base.transaction(name, mode);
      let result;
      transaction.oncomplete = () => done(result instanceof IDBRequest ? result.result : result);
      transaction.onerror = transaction.onabort = () => failed(transaction.error);
      result = work(transaction.objectStore(name));
    });
  }

  function told() {
    channel?.postMessage("changed");
    for (const act of heard) act();
  }
  channel?.addEventListener("message", () => heard.forEach((act) => act()));

  const all = () => within("presses", "readonly", (store) => store.getAll());
  const put = (one) => within("presses", "readwrite", (store) => store.put(one));
  const remove = (n) => within("presses", "readwrite", (store) => store.delete(n));

  const id = () =>
    self.crypto.randomUUID?.() ??
    [...self.crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

  /**
   * Keeps a press. `url` and `body` are the request; `pressed` and `sent` name the fields of the body that
   * are given its two moments; `task` and `reply` say on which card it shows; `label` is what was pressed.
   * The same press that still waits is not kept twice, whichever tab it comes from.
   */
  async function add(press) {
    const made = {
      key: id(), state: "waiting", at: new Date().toISOString(),
      pressed: "pressed_at", sent: "sent_at", task: null, ...press,
    };
    let full = false;
    const n = await new Promise((done, failed) => {
      open().then((base) => {
        const transaction = base.transaction("presses", "readwrite");
        const store = transaction.objectStore("presses");
        let key = null;
        store.getAll().onsuccess = ({ target: { result: rows } }) => {
          const waits = rows.filter((one) => one.state === "waiting");
          full = waits.length >= MOST;
          const last = waits.filter((one) => one.task === made.task && one.url.split("?")[0] === made.url).at(-1);
          const since = last && waits.some((one) => one.n > last.n && one.task === made.task);
          const same = last && !since && JSON.stringify(last.body) === JSON.stringify(made.body);
          if (same || full) return;
          store.add(made).onsuccess = ({ target }) => (key = target.result);
        };
        transaction.oncomplete = () => done(key);
        transaction.onerror = transaction.onabort = () => failed(transaction.error);
      }, failed);
    });
    if (full) throw new Error("full");
    told();
    wanted();
    return n;
  }

  /** The browser sends when the line is back, where it can; else the page does. */
  async function wanted() {
    try {
      const registration = self.registration ?? (await navigator.serviceWorker?.getRegistration("/"));
      await registration?.sync?.register(LOCK);
    } catch {
      // Not allowed here: the page's own timer sends.
    }
  }

  // ── Sending ────────────────────────────────────────────────────────────────

  /** Sends what waits, in order; one at a time on this phone, however many tabs are open. */
  function flush() {
    return navigator.locks ? navigator.locks.request(LOCK, send) : send();
  }

  async function send() {
    let me = null;
    for (;;) {
      const one = (await all()).find((row) => row.state === "waiting");
      if (!one) return "done";
      me ??= await whoami();
      if (me === null) return "later";
      if (me === "nobody") return "sign_in";
      if (one.user && one.user !== me.id) {
        // Somebody else signed in on this phone: these were never theirs to send.
        await remove(one.n);
        continue;
      }
      const answer = await sendOne(one, me.csrf_token, me.ahead);
      if (answer === "stale") {
        me = null; // Signed in anew meanwhile: the token of before is no good.
        if (one.stale) await settle(one, "refused", "csrf");
        else await put({ ...one, stale: true });
        continue;
      }
      if (answer === "later") return "later";
    }
  }

  async function whoami() {
    try {
      const answer = await fetch(`${API}/me`, { credentials: "same-origin", cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) return "nobody";
      if (!answer.ok) return null;
      const said = Date.parse(answer.headers.get("Date") ?? "");
      // To the second, which is as well as anybody remembers a time.
      return { ...(await answer.json()), ahead: Number.isNaN(said) ? 0 : said - Date.now() };
    } catch {
      return null;
    }
  }

  async function sendOne(one, token, ahead) {
    const headers = { "X-CSRF-Token": token, "Idempotency-Key": one.key };
    let content = null;
    if (one.step !== "photo") {
      headers["Content-Type"] = "application/json";
      const body = { ...one.body };
      if (one.sent) {
        body[one.pressed] = one.at;
        body[one.sent] = new Date().toISOString();
      } else if (one.pressed && Date.now() - Date.parse(one.at) > 30_000) {
        // One time alone is by the server's clock: this phone's may be minutes off.
        body[one.pressed] = new Date(Date.parse(one.at) + ahead).toISOString();
      }
      const answer = await ask(one.url, "POST", headers, JSON.stringify(body));
      if (typeof answer === "string") return answer;
      if (!answer.ok) return refused(one, answer);
      content = await answer.json().catch(() => null);
      one = { ...one, made: content?.id ?? null };
      if (!one.photo) return settle(one, "sent", content?.state ?? null);
      one = { ...one, step: "photo", outcome: content?.state ?? null };
      await put(one);
      delete headers["Content-Type"];
    }
    const form = new FormData();
    form.append("file", one.photo, "photo.jpg");
    if (one.sent) {
      // It waited as long as its press did.
      form.append(one.pressed, one.at);
      form.append(one.sent, new Date().toISOString());
    }
    const url = one.photoUrl.replace("#", encodeURIComponent(one.made ?? ""));
    const answer = await ask(url, "PUT", { "X-CSRF-Token": token, "Idempotency-Key": `${one.key}-photo` }, form);
    if (typeof answer === "string") return answer;
    if (answer.ok) return settle(one, "sent", one.outcome);
    // The words are there; a photo that is refused takes nothing of them back.
    const code = (await answer.json().catch(() => ({}))).code;
    const late = answer.status === 409 ? "photo_late" : "no_photo";
    return settle(one, "sent", code === "photo_given" ? one.outcome : late);
  }

  async function ask(url, method, headers, body) {
    try {
      const limit = AbortSignal.timeout?.(body instanceof FormData ? 120_000 : 20_000);
      const answer = await fetch(url, { method, headers, body, credentials: "same-origin", signal: limit });
      if (answer.status >= 500 || AGAIN.has(answer.status) || answer.status === 401) return "later";
      if (answer.status === 403 && (await answer.clone().json().catch(() => ({}))).code === "csrf") return "stale";
      return answer;
    } catch {
      return "later";
    }
  }

  async function refused(one, answer) {
    const code = (await answer.json().catch(() => ({}))).code ?? "other";
    // What they wanted is so already.
    if (one.fine?.includes(code)) return settle(one, "sent", null);
    return settle(one, "refused", code);
  }

  /** What was answered stays as a line, without what was written and without the photo. */
  async function settle(one, state, outcome) {
    const { n, key, task, reply, label, at, user, made } = one;
    const late = Date.now() - Date.parse(at) > 30_000;
    await put({ n, key, task, reply, label, at, user, made, state, outcome, late, settled: Date.now() });
    told();
    return state;
  }

  /** Lines that have been there long enough go. */
  async function tidy() {
    const now = Date.now();
    for (const one of await all()) {
      if (one.settled && now - one.settled > LINE_MS[one.state]) await remove(one.n);
    }
  }

  // ── The copy of the open tasks ─────────────────────────────────────────────

  const keep = (name, value, user, until = Date.now() + COPY_MS) =>
    within("kept", "readwrite", (store) => store.put({ name, value, user, until, at: Date.now() }));

  async function kept(name) {
    const found = await within("kept", "readonly", (store) => store.get(name));
    if (!found) return null;
    if (found.until > Date.now()) return found;
    await drop(name);
    return null;
  }

  const drop = (name) => within("kept", "readwrite", (store) => store.delete(name));

  /** Sign-out: nothing stays on this phone. */
  async function forget() {
    await within("kept", "readwrite", (store) => store.clear());
    await within("presses", "readwrite", (store) => store.clear());
    told();
  }

  self.Presses = {
    add, all, remove, flush, tidy, keep, kept, drop, forget, LOCK,
    waiting: async () => (await all()).filter((one) => one.state === "waiting"),
    onchange: (act) => heard.add(act),
  };
})();
