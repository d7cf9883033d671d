// The service worker: shows pushed letters, says that they came, and keeps the subscription alive.
// Without a network it opens the phone's pages from an empty shell and sends later what was pressed. Its
// cache holds our own static files and that shell: no page, no answer and nothing of a person is ever in it.

importScripts("/static/presses.js");

const API = "/api/v1";
const VIBRATE = { 1: [600, 200, 600, 200, 600, 200, 600], 2: [400, 200, 400], 3: [300], 4: [150] };

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(stocked());
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => answered(event));
self.addEventListener("sync", (event) => event.tag === self.Presses.LOCK && event.waitUntil(sent()));
self.addEventListener("message", (event) => event.data === "stock" && event.waitUntil(stocked()));

self.addEventListener("push", (event) => event.waitUntil(shown(letterOf(event.data))));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const data = event.notification.data;
  event.waitUntil(data?.dispatch && REPLIES.has(event.action) ? replied(event.action, data) : opened(data?.path));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewed(event)));

// ── Without a network ────────────────────────────────────────────────────────

const CACHE = "ringward-shell";
const SHELLS = { "/phone": "/phone/offline", "/registry/gate": "/registry/gate/offline" };
const FILES = [
  "base.css", "shell.css", "dark.css", "pages.css", "phone.css", "letters.css", "intake.css", "patrols.css", "gate.css",
  "presses.js", "phone.js", "pressing.js", "offline.js", "report.js", "walk.js", "me.js", "live.js", "letters.js", "inbox.js", "sounds.js",
  "position.js", "gate.js", "gate-offline.js", "gatelist.js", "vendor/htmx.min.js",
  "icon.svg", "icon-192.png", "manifest.webmanifest",
].map((name) => `/static/${name}`);
const PATIENCE_MS = { page: 8000, file: 4000 };

/** Takes the shells and their files in; one that is missing keeps no other out. */
async function stocked() {
  const cache = await caches.open(CACHE);
  const wanted = [...Object.values(SHELLS), ...FILES];
  await Promise.allSettled(
    wanted.map(async (url) => {
      const answer = await fetch(url, { cache: "no-cache", credentials: "same-origin" });
      if (answer.ok && !answer.redirected) await cache.put(url, answer);
    }),
  );
}

function answered(event) {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method === "POST" && url.pathname === "/sign-out") return event.respondWith(signedOut(request));
  if (request.method !== "GET") return;
  const area = Object.keys(SHELLS).find((one) => url.pathname === one || url.pathname.startsWith(`${one}/`));
  if (request.mode === "navigate" && area) return event.respondWith(page(request, SHELLS[area]));
  if (FILES.includes(url.pathname)) return event.respondWith(file(request, url.pathname));
}

const soon = (request, ms) => fetch(request, { signal: AbortSignal.timeout?.(ms) });

/** The page itself; where there is no line, the shell, at the address that was asked for. */
async function page(request, shell) {
  let timer = null;
  const patience = new Promise((_, failed) => (timer = setTimeout(failed, PATIENCE_MS.page)));
  try {
    return await Promise.race([fetch(request), patience]);
  } catch {
    return (await caches.match(shell)) ?? Response.error();
  } finally {
    clearTimeout(timer);
  }
}

/** The newest file that can be had: an old one beside a new page would not fit it. */
async function file(request, path) {
  try {
    const answer = await soon(request, PATIENCE_MS.file);
    if (answer.ok) await (await caches.open(CACHE)).put(path, answer.clone());
    return answer;
  } catch {
    return (await caches.match(path)) ?? Response.error();
  }
}

/** Whoever signs out leaves nothing behind on this phone, from whichever page they do. */
async function signedOut(request) {
  await self.Presses.forget().catch(() => {});
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(SHELLS["/phone"])) ?? Response.error();
  }
}

async function sent() {
  // Thrown, the browser tries again by itself.
  if ((await self.Presses.flush()) === "later") throw new Error("no line yet");
}

// ── Letters ──────────────────────────────────────────────────────────────────

/** What was pushed; something that cannot be read is still a call to look. */
function letterOf(data) {
  try {
    return data.json();
  } catch {
    return { title: "守圈 Ringward", body: "", severity: 3 };
  }
}

async function shown(letter) {
  const severity = Number(letter.severity) || 3;
  await self.registration.showNotification(String(letter.title || "守圈 Ringward"), {
    body: String(letter.body || ""),
    lang: letter.lang || "zh-CN",
    // A newer letter about the same thing takes the place of the older one, and is heard again.
    tag: letter.tag || undefined,
    renotify: Boolean(letter.tag),
    requireInteraction: severity === 1,
    silent: false,
    vibrate: VIBRATE[severity],
    icon: "/static/icon-192.png",
    badge: "/static/icon-192.png",
    actions: actionsOf(letter),
    data: {
      path: letter.path, attempt: letter.attempt, dispatch: letter.dispatch, words: letter.words,
      lang: letter.lang, tag: letter.tag, title: letter.title,
    },
  });
  if (letter.attempt) await received(letter.attempt);
}

const REPLIES = new Set(["accept", "decline"]);

/** Yes and no without unlocking, where the letter asks for somebody and carries the words for it. */
function actionsOf(letter) {
  if (!letter.dispatch || !letter.words) return [];
  return ["accept", "decline"].map((action) => ({ action, title: String(letter.words[action] || action) }));
}

/** A press on the lock screen: sent at once or kept until there is a line, and said either way. */
async function replied(reply, { dispatch, words, lang, tag, title, path }) {
  const label = words[reply];
  const url = `${API}/dispatches/${encodeURIComponent(dispatch)}/${reply}`;
  await self.Presses.add({ url, task: dispatch, reply, label, body: {} });
  const how = await self.Presses.flush();
  const line = (await self.Presses.all()).filter((one) => one.task === dispatch && one.reply === reply).at(-1);
  const said =
    line?.state === "sent" ? words[reply === "decline" ? "declined" : line.outcome] ?? words.accepted
    : line?.state === "refused" ? words.refused
    : how === "sign_in" ? words.sign_in
    : words.waiting;
  await self.registration.showNotification(String(said || label), {
    body: String(title || ""), lang: lang || "zh-CN", tag: tag || undefined, icon: "/static/icon-192.png",
    badge: "/static/icon-192.png", data: { path },
  });
}

async function received(attempt) {
  try {
    await post(`${API}/notifications/receipts`, { attempt });
  } catch {
    // Without the network the letter was shown all the same; the next way is tried meanwhile.
  }
}

async function opened(path) {
  // Only our own pages, whatever a letter says.
  const target = new URL(typeof path === "string" && path.startsWith("/") ? path : "/phone", self.location.origin);
  const where = target.origin === self.location.origin ? target.href : `${self.location.origin}/phone`;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => new URL(one.url).pathname === new URL(where).pathname) ?? pages[0];
  if (!page) return self.clients.openWindow(where);
  await page.focus();
  return page.url === where ? page : page.navigate(where);
}

async function renewed(event) {
  const old = event.oldSubscription?.endpoint ?? null;
  let made = event.newSubscription;
  if (!made) {
    const { key } = await (await fetch(`${API}/push/key`, { credentials: "same-origin" })).json();
    if (!key) return;
    made = await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  }
  const { endpoint, keys } = made.toJSON();
  await post(`${API}/push/subscriptions`, { endpoint, keys, replaces: old });
}

/** A post in the name of whoever is signed in here; where nobody is, in nobody's. */
async function post(url, body) {
  const me = await fetch(`${API}/me`, { credentials: "same-origin" });
  const headers = { "Content-Type": "application/json" };
  if (me.ok) headers["X-CSRF-Token"] = (await me.json()).csrf_token;
  return fetch(url, {
    method: "POST",
    credentials: me.ok ? "same-origin" : "omit",
    headers,
    body: JSON.stringify(body),
  });
}
