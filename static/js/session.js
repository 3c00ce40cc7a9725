// Warns before an idle sign-in ends, so that nothing typed is lost; one press stays signed in (WCAG 2.2.1).

let idle = Number(document.body.dataset.idleSeconds) * 1000;
const NOTICE = Math.min(120_000, idle / 2); // how long the warning stands
let seen = Date.now();
let dialog = null;

const isBackground = (event) => event.detail.requestConfig?.headers?.["X-Background"];
document.addEventListener("htmx:afterRequest", (event) => { if (!isBackground(event)) seen = Date.now(); });

// What was typed is kept on the server before the sign-in ends, and let go when it does not end after all.
const kept = new Map(); // draft's address -> token of its form
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.method === "post" && form.closest("#main, #sheet")) form.dataset.typed = "";
});

const send = (address, body) => fetch(address, {
  method: "POST", body, headers: { "X-Background": "1" }, redirect: "manual", keepalive: true,
}).catch(() => null);

async function keepTyped() {
  for (const form of document.querySelectorAll("form[data-typed]")) {
    const body = new FormData(form);
    body.set("draft_of", new URL(form.action).pathname);
    const answer = await send(document.body.dataset.draftsUrl, body);
    const number = answer?.ok && await answer.text();
    if (number) kept.set(`${document.body.dataset.draftsUrl}/${number}/discard`, body.get("csrf_token"));
  }
}

function letGo() {
  for (const [address, token] of kept) {
    const body = new FormData();
    body.set("csrf_token", token);
    send(address, body);
  }
  kept.clear();
}

async function leave() {
  if (!idle) return;
  idle = 0;
  await keepTyped();
  location.reload();
}

async function stay() {
  seen = Date.now();
  letGo();
  const answer = await fetch(document.body.dataset.stayUrl, { redirect: "manual" }).catch(() => null);
  if (!answer?.ok) leave();
}

function warn() {
  dialog = document.createElement("dialog");
  dialog.className = "sheet";
  dialog.setAttribute("aria-labelledby", "idle-title");
  dialog.append(document.querySelector("#idle-warning").content.cloneNode(true));
  dialog.addEventListener("close", () => { dialog.remove(); dialog = null; stay(); });
  document.body.append(dialog);
  dialog.showModal();
}

function watch() {
  const left = seen + idle - Date.now();
  if (!idle) return;
  if (left <= 0) leave();
  else if (left <= NOTICE && !dialog) { warn(); keepTyped(); }
  if (dialog) dialog.querySelector("[data-left]").textContent = `${Math.ceil(left / 60_000)}`;
}
// Back and Forward draw the page's body anew, without the warning that stood in it; and they are a visit.
document.addEventListener("htmx:historyRestore", () => { dialog = null; seen = Date.now(); });
if (idle) setInterval(watch, Math.min(5_000, NOTICE / 4));
