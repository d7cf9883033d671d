// Hands a link to whatever the phone sends with; where there is nothing of the kind, it is copied.
// Without scripts the link stands in its field.

const send = document.getElementById("send");
const field = document.getElementById("link");

const say = text => {
  document.getElementById("told").textContent = text;
};

const select = () => {
  field.focus();
  field.select();
};

async function copy() {
  try {
    await navigator.clipboard.writeText(field.value);
    say(send.dataset.copied);
  } catch {
    // Pages that did not come by https may not write there; the old way may.
    select();
    say(document.execCommand("copy") ? send.dataset.copied : send.dataset.select);
  }
}

async function share() {
  try {
    await navigator.share({ title: send.dataset.title, text: send.dataset.words, url: field.value });
  } catch (error) {
    // Whoever closed the list of ways to send meant to.
    if (error.name !== "AbortError") await copy();
  }
}

if (send && field) {
  field.addEventListener("focus", () => field.select());
  const [shares, copies] = [send.querySelector(".shares"), send.querySelector(".copies")];
  copies.hidden = false;
  copies.addEventListener("click", copy);
  if (navigator.share) {
    shares.hidden = false;
    shares.addEventListener("click", share);
  } else {
    copies.classList.add("primary");
  }
}
