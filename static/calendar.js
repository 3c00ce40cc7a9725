// What the pages do beyond plain links and forms. Everything here is an extra: without it the pages still work.

// A swap in place is said aloud, by the heading of what came in.
document.addEventListener("htmx:afterSettle", () => {
  const heading = document.querySelector("main h1");
  const announce = document.getElementById("announce");
  if (heading && announce) announce.textContent = heading.textContent;
  beginWithTheDay();
});

// A swap that failed becomes an ordinary visit, so that the person sees what is wrong.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.requestConfig.verb === "get") location.assign(event.detail.pathInfo.finalRequestPath);
});

// The menu under "More options": arrows move, opening it leads to the first item.
document.addEventListener("toggle", (event) => {
  if (event.target.id === "more" && event.newState === "open") event.target.querySelector("[role=menuitem]").focus();
}, true);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[role=menu]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step) return;
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  items.at((items.indexOf(event.target) + step) % items.length).focus();
  event.preventDefault();
});

// A click on empty time opens the form for that half hour.
document.addEventListener("click", (event) => {
  const day = event.target.closest?.("section.day");
  if (!day || event.target.closest("a") || getComputedStyle(day).display !== "grid") return;
  const slot = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--slot"));
  const row = Math.floor((event.clientY - day.getBoundingClientRect().top) / slot) + day.dataset.firstHour * 12;
  const minutes = Math.max(0, Math.floor(row / 6) * 30);
  const time = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const form = document.querySelector("a.new");
  if (form) location.assign(`${form.pathname}?date=${day.dataset.date}&time=${time}`);
});

// An entry at night stretches the grid to midnight: begin where the day does, once for each change of view.
let viewSeen = "";
function beginWithTheDay() {
  const view = document.querySelector("main")?.dataset.view;
  const body = document.querySelector(".week-body[data-open-row]");
  const day = body?.querySelector("section.day");
  if (view === viewSeen || location.hash || document.querySelector("main > .flash")) return;
  viewSeen = view;
  const bar = document.querySelector(".bar");
  if (!day || getComputedStyle(day).display !== "grid" || getComputedStyle(bar).position !== "sticky") return;
  const slot = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--slot"));
  scrollTo({ top: (body.dataset.openRow - day.dataset.firstHour * 12) * slot, behavior: "instant" });
}
beginWithTheDay();

// The line at the present moment, in the zone the calendar shows, whatever the browser's own is.
function moveNow() {
  const calendar = document.querySelector("main[data-timezone]");
  const body = document.querySelector(".week-body[data-now-row]");
  if (!calendar || !body) return;
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: calendar.dataset.timezone, hour: "numeric", minute: "numeric", hourCycle: "h23" }).formatToParts(new Date());
  const [hour, minute] = ["hour", "minute"].map((type) => Number(parts.find((part) => part.type === type).value));
  const row = Math.floor((hour * 60 + minute) / 5);
  for (const line of body.querySelectorAll(".now, .now-dot, .gutter-now")) {
    line.classList.replace(`from-${body.dataset.nowRow}`, `from-${row}`);
    if (line.matches(".gutter-now")) line.textContent = `${hour % 12 || 12}:${String(minute).padStart(2, "0")}`;
  }
  body.dataset.nowRow = row;
}
setInterval(moveNow, 30_000);
