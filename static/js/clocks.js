// What the clocks of a zone show. A change of clocks skips some times and shows others twice.

// By how many minutes a zone's clock is ahead of UTC at a moment.
export const offset = (zone, moment) => {
  const { year, month, day, hour, minute } = Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23",
  }).formatToParts(moment).map((part) => [part.type, part.value]));
  return Math.round((Date.UTC(year, month - 1, day, hour, minute) - moment) / 60000);
};

// How many minutes later than typed a time of day is kept: a skipped one is read with the offset before the gap
// (RFC 5545 §3.3.5), any other is kept as it is.
export const skippedBy = (zone, date, minutes) => {
  const wall = Date.parse(`${date}T00:00Z`) + minutes * 60000;
  const before = offset(zone, new Date(wall - 864e5));
  const after = offset(zone, new Date(wall + 864e5));
  const isShown = [before, after].some((apart) => offset(zone, new Date(wall - apart * 60000)) === apart);
  return isShown ? 0 : after - before;
};
