// This browser as a way to be reached: subscribes, renews a subscription that belongs to an older key,
// and says plainly why it cannot.

const box = document.getElementById("push");

if (box) {
  const on = document.getElementById("push-on");
  const off = document.getElementById("push-off");

  const show = (name) => {
    for (const line of box.querySelectorAll("[data-state]")) line.hidden = line.dataset.state !== name;
    on.hidden = name !== "off" && name !== "failed";
    off.hidden = name !== "on";
  };

  const post = (path, body) =>
    fetch(`/api/v1/push/${path}`, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": box.dataset.csrf },
      body: JSON.stringify(body),
    });

  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

  async function keep(made, replaces = null) {
    const { endpoint, keys } = made.toJSON();
    const answer = await post("subscriptions", { endpoint, keys, name: box.dataset.name, replaces });
    if (!answer.ok) throw new Error("refused");
  }

  async function subscribe() {
    const registration = await navigator.serviceWorker.register("/worker.js");
    await navigator.serviceWorker.ready;
    const { key } = await (await fetch("/api/v1/push/key", { credentials: "same-origin" })).json();
    const former = await registration.pushManager.getSubscription();
    // One that was made with another key is refused by the push service for ever.
    await former?.unsubscribe();
    const made = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytes(key),
    });
    await keep(made, former?.endpoint ?? null);
  }

  async function look() {
    if (!("serviceWorker" in navigator) || !("PushManager" in window)) return show("unsupported");
    if (Notification.permission === "denied") return show("denied");
    const registration = await navigator.serviceWorker.getRegistration("/");
    const made = await registration?.pushManager.getSubscription();
    if (!made) return show("off");
    const { key } = await (await fetch("/api/v1/push/key", { credentials: "same-origin" })).json();
    const own = new Uint8Array(made.options.applicationServerKey ?? []);
    const wanted = bytes(key);
    const same = own.length === wanted.length && own.every((one, i) => one === wanted[i]);
    // Whoever looks at this page uses this browser now: the letters are theirs.
    await (same ? keep(made) : subscribe());
    return show("on");
  }

  on.addEventListener("click", async () => {
    try {
      if ((await Notification.requestPermission()) !== "granted") return look();
      await subscribe();
      location.reload();
    } catch {
      show("failed");
    }
  });

  off.addEventListener("click", async () => {
    const registration = await navigator.serviceWorker.getRegistration("/");
    const made = await registration?.pushManager.getSubscription();
    if (made) {
      await post("subscriptions/end", { endpoint: made.endpoint });
      await made.unsubscribe();
    }
    location.reload();
  });

  look().catch(() => show("failed"));
}
