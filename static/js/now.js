// The present moment.

import { $, all, main } from "./page.js";

export const partsIn = (zone, moment) => Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, weekday: "short", hour: "numeric", minute: "numeric", hourCycle: "h23",
}).formatToParts(moment).map((part) => [part.type, part.value]));

// The line at the present moment, in the zone the calendar shows, whatever the browser's own is.
export function moveNow() {
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

setInterval(moveNow, 30_000);
