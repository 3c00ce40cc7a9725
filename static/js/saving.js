// What a hand has done, sent to the server: a new time asks for the quick form, a move is made.

import { $, here } from "./page.js";
import { clock } from "./rows.js";
import { openSheet } from "./sheet.js";

export const create = (day, top, bottom) => {
  const quick = $("a.new")?.dataset.quick;
  const query = new URLSearchParams({ date: day.dataset.date, back: here() });
  if (top !== undefined) query.set("time", clock(top));
  if (bottom) query.set("minutes", (bottom - top) * 5);
  if (quick) openSheet(`${quick}?${query}`);
};

export const sendMove = (entry, values) => htmx.ajax("POST", `${entry.pathname}/move`, {
  target: "#main", select: "#main", swap: "outerHTML show:none",
  values: { ...values, revision: entry.dataset.revision, careful: 1, back: here() },
});

export const move = (entry, ghost, minutes) =>
  sendMove(entry, { date: ghost.day.dataset.date, start_time: ghost.startOf(entry), duration: minutes });
