// A piece of the grid that shows where something would stand while a hand draws, drags or carries it.

import { all } from "./page.js";
import { spoken } from "./rows.js";

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
    this.box.textContent = `${spoken(top)} – ${spoken(bottom)}${busy ? ", overlaps" : ""}`;
    if (this.box.parentNode !== day) day.append(this.box);
  }
  words() { return `${this.day.ariaLabel}, ${this.box.textContent}`; }
  remove() { this.box.remove(); document.documentElement.classList.remove("is-dragging", "is-sizing"); }
}
