// The page is drawn anew after each change, by this hand or another.

import { isCarrying, putDown } from "./carry.js";
import { drop, isPressed } from "./drag.js";
import { moveNow } from "./now.js";
import { $, here, isGrid, main, say, style } from "./page.js";
import { showOtherZone } from "./zones.js";

let renewing = false;
let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  const entry = document.activeElement?.closest?.("[data-id]");
  focused = entry && $("#main")?.contains(entry) ? entry.dataset.id : null;
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "main") return;
  if (!renewing) $("#sheet-dialog")?.close();
  // said aloud, unless the page renewed itself
  if (!renewing) say($("main .flash")?.textContent.trim() || $("main h1")?.textContent || "");
  renewing = false;
  if (focused) $(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  begin();
});

// A swap that failed becomes an ordinary visit, so that the person sees what is wrong.
document.addEventListener("htmx:responseError", (event) => {
  if (renewing) { renewing = false; return; }
  if (event.detail.requestConfig.verb === "get") location.assign(event.detail.pathInfo.finalRequestPath);
  else if (isLater(event.detail.xhr) && event.detail.elt.closest("form")) tell(event.detail.elt.closest("form"), event.detail.xhr.responseText);
  else if (event.detail.xhr.status !== 422) location.reload();
});

// A form that could not be taken just now keeps what was typed, and says why.
const isLater = (answer) => answer.status === 429 || answer.status === 503;
function tell(form, words) {
  const note = $(".problem[data-later]", form) ?? form.insertAdjacentElement("afterbegin", document.createElement("p"));
  note.className = "problem";
  note.dataset.later = "";
  note.setAttribute("role", "alert");
  note.textContent = words;
}

// An entry at night stretches the grid to midnight: begin where the day does, once for each change of view.
let viewSeen = "";
function beginWithTheDay() {
  const view = main()?.dataset.view;
  const body = $(".week-body[data-open-row]");
  const day = body && $("section.day", body);
  if (view === viewSeen || location.hash || $("main > .flash")) return;
  viewSeen = view;
  if (!isGrid(day) || getComputedStyle($(".bar")).position !== "sticky") return;
  scrollTo({ top: (body.dataset.openRow - day.dataset.firstHour * 12) * style("--slot"), behavior: "instant" });
}

// Changes by other tabs, people and Google: ask for the version, and draw anew when it differs. Not while hidden,
// not while something is held or open, and marked so that the sign-in is not prolonged.
const BACKGROUND = { "X-Background": "1" };
async function renew() {
  const page = main();
  if (!page || document.hidden || isPressed() || isCarrying() || $("dialog[open], [popover]:popover-open, .fold details[open]")) return;
  if (document.activeElement?.closest?.("main form input, main form select")) return;
  const answer = await fetch(page.dataset.versionUrl, { headers: BACKGROUND, redirect: "manual" }).catch(() => null);
  const version = answer?.ok && await answer.text();
  if (!version || version === page.dataset.version || page !== main() || isPressed() || isCarrying() || $("dialog[open]")) return;
  renewing = true;
  htmx.ajax("GET", here(), { target: "#main", select: "#main", swap: "outerHTML show:none", headers: BACKGROUND });
}

function begin() {
  if (!main()) return;
  const printing = $("#print");
  if (printing) printing.hidden = false;
  showOtherZone();
  moveNow();
  beginWithTheDay();
}

begin();
setInterval(renew, 4_000);
document.addEventListener("visibilitychange", renew);

// Back and Forward: htmx fetches the page and draws its body anew, or the browser shows it as it was left.
function beginAgain() {
  drop();
  putDown();
  renewing = false;
  begin();
}
document.addEventListener("htmx:historyRestore", beginAgain);
document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());
addEventListener("pageshow", (event) => { if (event.persisted) { beginAgain(); renew(); } });
