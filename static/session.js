// Warns before an idle sign-in ends, so that nothing typed is lost; one press stays signed in (WCAG 2.2.1).

const idle = Number(document.body.dataset.idleSeconds) * 1000;
const NOTICE = Math.min(120_000, idle / 2); // how long the warning stands
let seen = Date.now();
let dialog = null;

const isBackground = (event) => event.detail.requestConfig?.headers?.["X-Background"];
document.addEventListener("htmx:afterRequest", (event) => { if (!isBackground(event)) seen = Date.now(); });

async function stay() {
  seen = Date.now();
  const answer = await fetch(document.body.dataset.stayUrl, { redirect: "manual" }).catch(() => null);
  if (!answer?.ok) location.reload();
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
  if (left <= 0) location.reload();
  else if (left <= NOTICE && !dialog) warn();
  if (dialog) dialog.querySelector("[data-left]").textContent = `${Math.ceil(left / 60_000)}`;
}
if (idle) setInterval(watch, Math.min(5_000, NOTICE / 4));
