// What the pages do beyond plain links and forms. Everything here is an extra: without it the pages still work.

const $ = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const main = () => $("main[data-view]");
const say = (words) => { $("#announce").textContent = words; };
const style = (name) => parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name));
const here = () => location.pathname + location.search;
const pad = (number) => String(number).padStart(2, "0");
const clock = (row) => `${pad(Math.floor(row / 12))}:${pad((row % 12) * 5)}`;
const spoken = (row) => `${Math.floor(row / 12) % 12 || 12}:${pad((row % 12) * 5)} ${row < 144 ? "AM" : "PM"}`;
const isGrid = (day) => day && getComputedStyle(day).display === "grid";
const ROWS = 288; // of five minutes in a day
const STEP = 3; // a quarter of an hour

// ---------- Swaps

let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  const entry = document.activeElement?.closest?.("[data-id]");
  focused = entry && $("#main")?.contains(entry) ? entry.dataset.id : null;
});

document.addEventListener("htmx:afterSettle", (event) => {
  const sheet = $("#sheet-dialog");
  if (event.detail.target.id === "sheet") {
    if (!sheet.open) sheet.showModal();
    ($("[aria-invalid], select[name=client], input[name=start_time], input, button", $("#sheet")) ?? sheet).focus();
    return;
  }
  if (event.detail.target.id !== "main") return;
  if (!renewing) sheet?.close();
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
  else if (event.detail.xhr.status !== 422) location.reload();
});

const openSheet = (address) => htmx.ajax("GET", address, { target: "#sheet", select: "#sheet-body", swap: "innerHTML" });

// ---------- Menu

document.addEventListener("toggle", (event) => {
  if (event.target.id === "more" && event.newState === "open") $("[role=menuitem]", event.target).focus();
}, true);

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#print")) { $("#more").hidePopover(); print(); }
  const sheetLink = event.target.closest?.("#shortcuts");
  if (sheetLink && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    $("#more").hidePopover();
    openSheet(sheetLink.href);
  }
});

document.addEventListener("change", (event) => {
  const minutes = event.target.name === "type" && event.target.selectedOptions[0]?.dataset.minutes;
  if (minutes) event.target.form.elements.duration.value = minutes;
});

// ---------- Empty time: press for the quick form, or draw a stretch

const rowAt = (day, y) => (y - day.getBoundingClientRect().top) / style("--slot") + day.dataset.firstHour * 12;
const clamp = (row, least = 0, most = ROWS) => Math.min(Math.max(row, least), most);

// A piece of the grid that shows where something would stand; its place is a class, as everywhere.
class Ghost {
  constructor() { this.box = Object.assign(document.createElement("div"), { ariaHidden: "true" }); }
  put(day, top, bottom, entry) {
    Object.assign(this, { day, top, bottom });
    const busy = all("[data-start]", day).some((other) => {
      if (other === entry || other.matches(".is-missed, .is-free, .is-archived")) return false;
      const place = other.closest(".slot")?.className.match(/from-(\d+) to-(\d+)/);
      return place && place[1] < bottom && place[2] > top;
    });
    this.box.className = `ghost from-${top} to-${bottom}${busy ? " is-clash" : ""}`;
    this.box.textContent = `${spoken(top)} – ${spoken(bottom)}${busy ? ", overlaps" : ""}`;
    if (this.box.parentNode !== day) day.append(this.box);
  }
  words() { return `${this.day.ariaLabel}, ${this.box.textContent}`; }
  remove() { this.box.remove(); document.documentElement.classList.remove("is-dragging", "is-sizing"); }
}

const create = (day, top, bottom) => {
  const quick = $("a.new")?.dataset.quick;
  const query = new URLSearchParams({ date: day.dataset.date, time: clock(top), back: here() });
  if (bottom) query.set("minutes", (bottom - top) * 5);
  if (quick) openSheet(`${quick}?${query}`);
};

// ---------- Moving

const placeOf = (entry) => {
  const [, from, to] = entry.closest(".slot").className.match(/from-(\d+) to-(\d+)/);
  const minutes = Math.round((Date.parse(entry.dataset.end) - Date.parse(entry.dataset.start)) / 60000);
  return { day: entry.closest("section.day"), top: +from, bottom: +to, minutes };
};

const move = (entry, ghost, minutes) => htmx.ajax("POST", `${entry.pathname}/move`, {
  target: "#main", select: "#main", swap: "outerHTML show:none",
  values: {
    date: ghost.day.dataset.date, start_time: clock(ghost.top), duration: minutes,
    revision: entry.dataset.revision, careful: 1, back: here(),
  },
});

const EDGE = 7; // px at the lower end of an entry
let drag = null;

document.addEventListener("pointerdown", (event) => {
  if (event.button || event.pointerType === "touch") return;
  const day = event.target.closest?.("section.day");
  if (!isGrid(day) || event.target.closest("summary, .fold-list, .hour-link")) return;
  const entry = event.target.closest("a.entry, .entry");
  if (entry && !entry.matches("[data-revision][data-start]")) return;
  if (!entry && !day.matches("[data-own]")) return;
  const sizing = entry && entry.getBoundingClientRect().bottom - event.clientY < EDGE;
  drag = { entry, day, sizing, x: event.clientX, y: event.clientY, row: rowAt(day, event.clientY), place: entry && placeOf(entry) };
});

document.addEventListener("dragstart", (event) => { if (event.target.closest?.("[data-revision]")) event.preventDefault(); });

const columnAt = (x, y) => document.elementsFromPoint(x, y).find((each) => each.matches("section.day[data-own]"));

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (!drag.ghost && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 5) return;
  if (!drag.ghost) {
    drag.ghost = new Ghost();
    document.documentElement.classList.add(drag.sizing ? "is-sizing" : "is-dragging");
    drag.entry?.classList.add("is-lifted");
    getSelection()?.removeAllRanges();
  }
  const row = rowAt(drag.day, event.clientY);
  if (!drag.entry) {
    const [a, b] = [Math.min(drag.row, row), Math.max(drag.row, row)];
    const top = clamp(Math.floor(a / STEP) * STEP);
    drag.ghost.put(drag.day, top, clamp(Math.max(Math.ceil(b / STEP) * STEP, top + STEP)));
  } else if (drag.sizing) {
    const bottom = Math.round(row);
    drag.ghost.put(drag.day, drag.place.top, clamp(Math.max(bottom, drag.place.top + 1)), drag.entry);
  } else {
    const length = drag.place.bottom - drag.place.top;
    const moved = Math.round((row - drag.row) / STEP) * STEP;
    const top = clamp(drag.place.top + moved, 0, ROWS - length);
    drag.ghost.put(columnAt(event.clientX, event.clientY) ?? drag.ghost.day ?? drag.day, top, top + length, drag.entry);
  }
});

const drop = () => {
  drag?.ghost?.remove();
  drag?.entry?.classList.remove("is-lifted");
  drag = null;
};

document.addEventListener("pointerup", () => {
  const { entry, ghost, day, sizing, row, place } = drag ?? {};
  if (!drag) return;
  drop();
  if (!ghost) {
    if (!entry) create(day, clamp(Math.floor(row / 6) * 6, 0, ROWS - 6));
    return;
  }
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, true));
  if (!entry) create(ghost.day, ghost.top, ghost.bottom);
  else if (ghost.day !== place.day || ghost.top !== place.top || ghost.bottom !== place.bottom)
    move(entry, ghost, sizing ? (ghost.bottom - ghost.top) * 5 : place.minutes);
});
document.addEventListener("pointercancel", drop);
const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };

// ---------- Keys

let carried = null; // the entry that the arrow keys move

const carry = (entry) => {
  const place = placeOf(entry);
  if (!isGrid(place.day)) return location.assign(`${entry.pathname}/move?back=${encodeURIComponent(here())}`);
  carried = { entry, ...place, ghost: new Ghost() };
  carried.ghost.put(place.day, place.top, place.bottom, entry);
  entry.classList.add("is-lifted");
  say("Moving. Arrow keys move it, Shift with up and down changes its length, Enter saves, Escape leaves it.");
};

const putDown = () => {
  carried?.ghost.remove();
  carried?.entry.classList.remove("is-lifted");
  carried = null;
};

const steer = (event) => {
  const { entry, ghost, minutes } = carried;
  const up = { ArrowUp: -STEP, ArrowDown: STEP }[event.key];
  const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Enter") {
    putDown();
    move(entry, ghost, minutes);
  } else if (event.key === "Escape") {
    putDown();
    say("Left where it was.");
  } else if (up && event.shiftKey) {
    const bottom = clamp(ghost.bottom + up, ghost.top + 1);
    carried.minutes = Math.max(5, minutes + (bottom - ghost.bottom) * 5);
    ghost.put(ghost.day, ghost.top, bottom, entry);
    say(ghost.words());
  } else if (up || across) {
    const length = ghost.bottom - ghost.top;
    const top = clamp(ghost.top + (up ?? 0), 0, ROWS - length);
    const days = all("section.day[data-own]");
    const day = days[clamp(days.indexOf(ghost.day) + (across ?? 0), 0, days.length - 1)];
    ghost.put(day, top, top + length, entry);
    ghost.box.scrollIntoView({ block: "nearest" });
    say(ghost.words());
  } else return;
  event.preventDefault();
};

const KEYS = { t: "#go-today", j: "#go-next", k: "#go-previous", 1: "#go-month", 2: "#go-week", 3: "#go-day", 4: "#go-agenda", n: "a.new", p: "#privacy", "/": "#search", "?": "#shortcuts" };

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[role=menu]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (menu && step) {
    const items = all("[role=menuitem]:not([hidden])", menu);
    items.at((items.indexOf(event.target) + step) % items.length).focus();
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !main()) return;
  if (drag?.ghost && event.key === "Escape") return drop();
  if (carried) return steer(event);
  if (event.target.matches?.("input:not([type=checkbox]), select, textarea, [contenteditable]") || $("dialog[open]")) return;
  if (main().dataset.shortcutsOff !== undefined) return;
  const entry = event.target.closest?.("[data-revision]");
  const target = $(KEYS[event.key.toLowerCase()] ?? "nothing");
  if (entry && event.key.toLowerCase() === "m") {
    if (entry.closest(".slot")) carry(entry);
    else location.assign(`${entry.pathname}/move?back=${encodeURIComponent(here())}`);
  } else if (target) target.click();
  else return;
  event.preventDefault();
});

// "New appointment" opens the quick form over the calendar.
document.addEventListener("focusout", (event) => { if (carried && event.target === carried.entry && !drag) putDown(); });

// ---------- The present moment, the other zone, what is new

const partsIn = (zone, moment) => Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, weekday: "short", hour: "numeric", minute: "numeric", hourCycle: "h23",
}).formatToParts(moment).map((part) => [part.type, part.value]));

// The line at the present moment, in the zone the calendar shows, whatever the browser's own is.
function moveNow() {
  const body = $(".week-body[data-now-row]");
  if (!main() || !body) return;
  const now = partsIn(main().dataset.timezone, new Date());
  const row = Math.floor((now.hour * 60 + +now.minute) / 5);
  for (const line of all(".now, .now-dot, .gutter-now", body)) {
    line.classList.replace(`from-${body.dataset.nowRow}`, `from-${row}`);
    if (line.matches(".gutter-now")) line.textContent = `${now.hour % 12 || 12}:${now.minute}`;
  }
  body.dataset.nowRow = row;
}

// When the browser is in another zone, both are shown: in a chip, and beside the hours.
function showOtherZone() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const moment = new Date();
  const [there, shown] = [partsIn(own, moment), partsIn(main().dataset.timezone, moment)];
  const apart = Math.round(((+there.hour - shown.hour) * 60 + (there.minute - shown.minute)));
  const chip = $("#there");
  if (!chip || (!apart && there.weekday === shown.weekday)) return;
  chip.textContent = `Here it is ${there.hour % 12 || 12}:${there.minute} ${there.hour < 12 ? "AM" : "PM"} (${own.split("/").pop().replaceAll("_", " ")})`;
  chip.hidden = false;
  for (const label of all(".gutter > span:not(.gutter-now)")) {
    if ($(".there", label)) continue;
    const row = +label.className.match(/from-(\d+)/)[1];
    const minutes = ((row * 5 + apart) % 1440 + 1440) % 1440;
    const text = `${Math.floor(minutes / 60) % 12 || 12}${minutes % 60 ? `:${pad(minutes % 60)}` : ""} ${minutes < 720 ? "AM" : "PM"}`;
    label.append(Object.assign(document.createElement("small"), { className: "there", textContent: text }));
  }
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
let renewing = false;
async function renew() {
  const page = main();
  if (!page || document.hidden || drag || carried || $("dialog[open], [popover]:popover-open, .fold details[open]")) return;
  if (document.activeElement?.closest?.("main form input, main form select")) return;
  const answer = await fetch(page.dataset.versionUrl, { headers: BACKGROUND, redirect: "manual" }).catch(() => null);
  const version = answer?.ok && await answer.text();
  if (!version || version === page.dataset.version || page !== main() || drag || carried || $("dialog[open]")) return;
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
setInterval(moveNow, 30_000);
setInterval(renew, 4_000);
document.addEventListener("visibilitychange", renew);
