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
  const query = new URLSearchParams({ date: day.dataset.date, back: here() });
  if (top !== undefined) query.set("time", clock(top));
  if (bottom) query.set("minutes", (bottom - top) * 5);
  if (quick) openSheet(`${quick}?${query}`);
};

// ---------- Moving

const placeOf = (entry) => {
  const [, from, to] = entry.closest(".slot").className.match(/from-(\d+) to-(\d+)/);
  const minutes = Math.round((Date.parse(entry.dataset.end) - Date.parse(entry.dataset.start)) / 60000);
  return { day: entry.closest("section.day"), top: +from, bottom: +to, minutes };
};

const sendMove = (entry, values) => htmx.ajax("POST", `${entry.pathname}/move`, {
  target: "#main", select: "#main", swap: "outerHTML show:none",
  values: { ...values, revision: entry.dataset.revision, careful: 1, back: here() },
});

const move = (entry, ghost, minutes) =>
  sendMove(entry, { date: ghost.day.dataset.date, start_time: clock(ghost.top), duration: minutes });

// By whole days, where nothing shows the hours: in the month, the agenda and the all-day row.
const later = (date, days) => new Date(Date.parse(`${date}T12:00Z`) + days * 864e5).toISOString().slice(0, 10);
const daysApart = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 864e5);
const dayWords = new Intl.DateTimeFormat("en-US", { weekday: "long", month: "long", day: "numeric", timeZone: "UTC" });
const dateOf = (day) => new Date(`${day}T12:00Z`);
const DAYS = "td[data-date], .agenda section[data-date], section.day[data-own]";

class Journey {
  constructor(entry) {
    Object.assign(this, { entry, start: entry.dataset.start.slice(0, 10), days: 0 });
    this.note = Object.assign(document.createElement("p"), { className: "journey", ariaHidden: "true" });
    entry.classList.add("is-lifted");
  }
  go(days) {
    this.days = days;
    const date = later(this.start, days);
    for (const day of all(DAYS)) day.classList.toggle("is-target", Boolean(days) && day.dataset.date === date);
    this.note.textContent = days ? `Move to ${dayWords.format(dateOf(date))}` : "Leave it where it is";
    if (!this.note.isConnected) document.body.append(this.note);
  }
  remove() {
    this.note.remove();
    this.entry.classList.remove("is-lifted");
    for (const day of all(".is-target")) day.classList.remove("is-target");
    document.documentElement.classList.remove("is-dragging");
  }
  save() {
    this.remove();
    const { start, end } = this.entry.dataset;
    const values = { date: later(this.start, this.days) };
    if (start.length === 10) values.last_day = later(end, this.days - 1);
    if (this.days) sendMove(this.entry, values);
  }
}

const EDGE = 7; // px at the lower end of an entry
let drag = null;

document.addEventListener("pointerdown", (event) => {
  if (event.button || event.pointerType === "touch") return;
  const day = event.target.closest?.("section.day");
  const entry = event.target.closest?.("a.entry, .entry");
  if (event.target.closest?.("summary, .fold-list, .hour-link")) return;
  if (entry && !entry.matches("[data-revision][data-start]")) return;
  if (!isGrid(day)) {
    const cell = event.target.closest?.("td[data-date], .agenda section[data-date], .allday");
    const blank = event.target.matches?.("td[data-date]") && event.target;
    if (entry ? cell : blank) drag = { entry, cell, blank, x: event.clientX, y: event.clientY };
    return;
  }
  if (!entry && !day.matches("[data-own]")) return;
  const sizing = entry && entry.getBoundingClientRect().bottom - event.clientY < EDGE;
  drag = { entry, day, sizing, x: event.clientX, y: event.clientY, row: rowAt(day, event.clientY), place: entry && placeOf(entry) };
});

document.addEventListener("dragstart", (event) => { if (event.target.closest?.("[data-revision]")) event.preventDefault(); });

// The day under the pointer; in the all-day row the one whose column it is over.
const dateAt = (x, y, cell) => {
  const under = document.elementsFromPoint(x, y).find((each) => each.matches(DAYS));
  const isOver = (day) => { const box = day.getBoundingClientRect(); return box.left <= x && x < box.right; };
  return (under ?? (cell.matches(".allday") && all("section.day").find(isOver)) ?? null)?.dataset?.date;
};

const travelBy = (event) => {
  if (drag.blank) return;
  drag.journey ??= new Journey(drag.entry);
  document.documentElement.classList.add("is-dragging");
  const from = drag.from ??= dateAt(drag.x, drag.y, drag.cell) ?? drag.journey.start;
  drag.journey.go(daysApart(from, dateAt(event.clientX, event.clientY, drag.cell) ?? from));
};

const columnAt = (x, y) => document.elementsFromPoint(x, y).find((each) => each.matches("section.day[data-own]"));

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (!drag.ghost && !drag.journey && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 5) return;
  if (!drag.day) return travelBy(event);
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
  drag?.journey?.remove();
  drag?.entry?.classList.remove("is-lifted");
  drag = null;
};

document.addEventListener("pointerup", () => {
  const { entry, ghost, day, sizing, row, place, journey, blank } = drag ?? {};
  if (!drag) return;
  drop();
  if (blank) return create(blank);
  if (journey) journey.save();
  else if (!ghost) {
    if (!day) return;
    if (!entry) create(day, clamp(Math.floor(row / 6) * 6, 0, ROWS - 6));
    return;
  }
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, true));
  if (journey) return;
  if (!entry) create(ghost.day, ghost.top, ghost.bottom);
  else if (ghost.day !== place.day || ghost.top !== place.top || ghost.bottom !== place.bottom)
    move(entry, ghost, sizing ? (ghost.bottom - ghost.top) * 5 : place.minutes);
});
document.addEventListener("pointercancel", drop);
const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };

// ---------- Keys

let carried = null; // the entry that the arrow keys move

const carry = (entry) => {
  if (!isGrid(entry.closest("section.day"))) {
    carried = { entry, ghost: new Journey(entry) };
    carried.ghost.go(0);
    return say("Moving by days. Arrow keys move it, Enter saves, Escape leaves it.");
  }
  const place = placeOf(entry);
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

const steerByDays = (event) => {
  const { ghost } = carried;
  const week = main().dataset.view === "month" ? 7 : 1;
  const days = { ArrowUp: -week, ArrowDown: week, ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Enter") {
    putDown();
    ghost.save();
  } else if (event.key === "Escape") {
    putDown();
    say("Left where it was.");
  } else if (days) {
    ghost.go(ghost.days + days);
    $(".is-target")?.scrollIntoView({ block: "nearest" });
    say(ghost.note.textContent);
  } else return;
  event.preventDefault();
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
  if ((drag?.ghost || drag?.journey) && event.key === "Escape") return drop();
  if (carried) return carried.ghost.box ? steer(event) : steerByDays(event);
  if (event.target.matches?.("input:not([type=checkbox]), select, textarea, [contenteditable]") || $("dialog[open]")) return;
  if (main().dataset.shortcutsOff !== undefined) return;
  const entry = event.target.closest?.("[data-revision]");
  const target = $(KEYS[event.key.toLowerCase()] ?? "nothing");
  if (entry && event.key.toLowerCase() === "m") carry(entry);
  else if (target) target.click();
  else return;
  event.preventDefault();
});

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

// By how many minutes a zone's clock is ahead of UTC at a moment.
const offset = (zone, moment) => {
  const { year, month, day, hour, minute } = Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23",
  }).formatToParts(moment).map((part) => [part.type, part.value]));
  return Math.round((Date.UTC(year, month - 1, day, hour, minute) - moment) / 60000);
};

const hourWords = (minutes) => {
  const row = ((minutes % 1440) + 1440) % 1440;
  return `${Math.floor(row / 60) % 12 || 12}${row % 60 ? `:${pad(row % 60)}` : ""} ${row < 720 ? "AM" : "PM"}`;
};

// When the browser is in another zone, both are shown: in a chip, and beside the hours. The hours go by the
// days that are shown, which can lie on the other side of a change of clocks; in its week there are two.
function showOtherZone() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const apartAt = (moment) => offset(own, moment) - offset(main().dataset.timezone, moment);
  const now = new Date();
  const aparts = [...new Set(all("section.day").map((day) => apartAt(dateOf(day.dataset.date))))];
  const chip = $("#there");
  if (!chip) return;
  if (aparts.some(Boolean)) labelHours(aparts);
  if (!apartAt(now)) return;
  const there = partsIn(own, now);
  chip.href += chip.search ? "" : `?timezone=${encodeURIComponent(own)}`;
  chip.textContent = `Here it is ${there.hour % 12 || 12}:${there.minute} ${there.hour < 12 ? "AM" : "PM"} (${own.split("/").pop().replaceAll("_", " ")})`;
  chip.hidden = false;
}

function labelHours(aparts) {
  for (const label of all(".gutter > span:not(.gutter-now)")) {
    if ($(".there", label)) continue;
    const row = +label.className.match(/from-(\d+)/)[1];
    const text = aparts.map((apart) => hourWords(row * 5 + apart)).join(" / ");
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
