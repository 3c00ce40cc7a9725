// An entry taken up by a key, and moved by the arrow keys.

import { isPressed } from "./drag.js";
import { Ghost } from "./ghost.js";
import { Journey } from "./journey.js";
import { $, all, isGrid, main, say } from "./page.js";
import { ROWS, STEP, clamp, placeOf } from "./rows.js";
import { move } from "./saving.js";

let carried = null; // the entry that the arrow keys move

export const isCarrying = () => Boolean(carried);

export const carry = (entry) => {
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

export const putDown = () => {
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

const steerByRows = (event) => {
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

export const steer = (event) => (carried.ghost.box ? steerByRows(event) : steerByDays(event));

document.addEventListener("focusout", (event) => { if (carried && event.target === carried.entry && !isPressed()) putDown(); });
