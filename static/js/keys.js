// The keys of the calendar and of its menu.

import { carry, isCarrying, steer } from "./carry.js";
import { drop, isDragging } from "./drag.js";
import { $, all, main } from "./page.js";

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
  if (isDragging() && event.key === "Escape") return drop();
  if (isCarrying()) return steer(event);
  if (event.target.matches?.("input:not([type=checkbox]), select, textarea, [contenteditable]") || $("dialog[open]")) return;
  if (main().dataset.shortcutsOff !== undefined) return;
  const entry = event.target.closest?.("[data-revision]");
  const target = $(KEYS[event.key.toLowerCase()] ?? "nothing");
  if (entry && event.key.toLowerCase() === "m") carry(entry);
  else if (target) target.click();
  else return;
  event.preventDefault();
});
