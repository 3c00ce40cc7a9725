// A day is drawn in rows of five minutes. Where an entry stands is a class: the pages allow no inline style.

import { style } from "./page.js";

export const ROWS = 288; // of five minutes in a day
export const STEP = 3; // a quarter of an hour

export const pad = (number) => String(number).padStart(2, "0");
export const clock = (row) => `${pad(Math.floor(row / 12))}:${pad((row % 12) * 5)}`;
// Minutes since midnight; past the next one it is morning again.
export const spoken = (minutes) => {
  const hour = Math.floor(minutes / 60) % 24;
  return `${hour % 12 || 12}:${pad(minutes % 60)} ${hour < 12 ? "AM" : "PM"}`;
};

export const rowAt = (day, y) => (y - day.getBoundingClientRect().top) / style("--slot") + day.dataset.firstHour * 12;
export const clamp = (row, least = 0, most = ROWS) => Math.min(Math.max(row, least), most);

export const placeOf = (entry) => {
  const [, from, to] = entry.closest(".slot").className.match(/from-(\d+) to-(\d+)/);
  const { start, end } = entry.dataset;
  const minutes = Math.round((Date.parse(end) - Date.parse(start)) / 60000);
  return { day: entry.closest("section.day"), top: +from, bottom: +to, minutes, start: start.slice(11, 16) };
};
