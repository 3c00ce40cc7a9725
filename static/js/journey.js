// A move by whole days, where nothing shows the hours: in the month, the agenda and the all-day row.

import { all } from "./page.js";
import { sendMove } from "./saving.js";

const later = (date, days) => new Date(Date.parse(`${date}T12:00Z`) + days * 864e5).toISOString().slice(0, 10);
export const daysApart = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 864e5);
const dayWords = new Intl.DateTimeFormat("en-US", { weekday: "long", month: "long", day: "numeric", timeZone: "UTC" });
export const dateOf = (day) => new Date(`${day}T12:00Z`);
export const DAYS = "td[data-date], .agenda section[data-date], section.day[data-own]";

export class Journey {
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
