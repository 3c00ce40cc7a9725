// A piece of the grid that shows where something would stand while a hand draws, drags or carries it.

import { skippedBy } from "./clocks.js";
import { all, main } from "./page.js";
import { clock, placeOf, spoken } from "./rows.js";

const sinceMidnight = (time) => time.split(":").reduce((hours, minutes) => hours * 60 + +minutes, 0);

export class Ghost {
  constructor() { this.box = Object.assign(document.createElement("div"), { ariaHidden: "true" }); }
  put(day, top, bottom, entry) {
    Object.assign(this, { day, top, bottom });
    const busy = all("[data-start]", day).some((other) => {
      if (other === entry || other.matches(".is-missed, .is-free, .is-archived")) return false;
      const place = other.closest(".slot")?.className.match(/from-(\d+) to-(\d+)/);
      return place && place[1] < bottom && place[2] > top;
    });
    this.box.className = `ghost from-${top} to-${bottom}${busy ? " is-clash" : ""}`;
    this.box.textContent = `${this.times(entry)}${busy ? ", overlaps" : ""}`;
    if (this.box.parentNode !== day) day.append(this.box);
  }
  // Where nothing moved it up or down, an entry keeps its minutes, though rows are of five.
  startOf(entry) {
    const place = entry && placeOf(entry);
    return place?.top === this.top ? place.start : clock(this.top);
  }
  times(entry) {
    const place = entry && placeOf(entry);
    const rows = this.bottom - this.top;
    const minutes = place && place.bottom - place.top === rows ? place.minutes : rows * 5;
    const typed = sinceMidnight(this.startOf(entry));
    const start = typed + skippedBy(main().dataset.timezone, this.day.dataset.date, typed);
    return `${spoken(start)} – ${spoken(start + minutes)}`;
  }
  words() { return `${this.day.ariaLabel}, ${this.box.textContent}`; }
  remove() { this.box.remove(); document.documentElement.classList.remove("is-dragging", "is-sizing"); }
}
