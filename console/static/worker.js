// The service worker: shows pushed letters, says that they came, and keeps the subscription alive.
// It stores nothing: what somebody was told must not be found on the phone afterwards.

const API = "/api/v1";
const VIBRATE = { 1: [600, 200, 600, 200, 600, 200, 600], 2: [400, 200, 400], 3: [300], 4: [150] };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(shown(letterOf(event.data))));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(opened(event.notification.data?.path));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renewed(event)));

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
    data: { path: letter.path, attempt: letter.attempt },
  });
  if (letter.attempt) await received(letter.attempt);
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
