// When the browser is in another zone than the calendar.

import { offset } from "./clocks.js";
import { dateOf } from "./journey.js";
import { partsIn } from "./now.js";
import { $, all, main } from "./page.js";
import { pad } from "./rows.js";

const hourWords = (minutes) => {
  const row = ((minutes % 1440) + 1440) % 1440;
  return `${Math.floor(row / 60) % 12 || 12}${row % 60 ? `:${pad(row % 60)}` : ""} ${row < 720 ? "AM" : "PM"}`;
};

// When the browser is in another zone, both are shown: in a chip, and beside the hours. The hours go by the
// days that are shown, which can lie on the other side of a change of clocks; in its week there are two.
export function showOtherZone() {
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
