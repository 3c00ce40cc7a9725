// The pointer: pressed on empty time for the quick form, drawn over a stretch, dragged to another time or day.

import { Ghost } from "./ghost.js";
import { DAYS, Journey, daysApart } from "./journey.js";
import { all, isGrid } from "./page.js";
import { ROWS, STEP, clamp, placeOf, rowAt } from "./rows.js";
import { create, move } from "./saving.js";

const EDGE = 7; // px at the lower end of an entry
let drag = null; // what the pointer is pressed on, until it is let go

export const isPressed = () => Boolean(drag);
export const isDragging = () => Boolean(drag?.ghost || drag?.journey);

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

export const drop = () => {
  drag?.ghost?.remove();
  drag?.journey?.remove();
  drag?.entry?.classList.remove("is-lifted");
  drag = null;
};

// The click that ends a drag follows no link.
const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };

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
