// The inside of scripts/independent-rules: a rule a line in, what each expander makes of it a line out.
//
// In: {"start": "20261202T090000" or "20261202", "rule": "FREQ=…", "before": "20281202T000000", "by": ["ical.js",
// "rrule-temporal"]}, times of UTC. The start is moved to the first date of the rule that rrule-temporal finds:
// what a start outside its rule means is another question. Out: {"start": …, "ical.js": […], …}, the starts
// before `before`, of many the first, or a text that says why there are none.
import { createInterface } from "node:readline";
import vm from "node:vm";
import ICAL from "ical.js";
import { RRuleTemporal } from "rrule-temporal";

const MOST = 200; // starts of one rule
const MILLISECONDS = 30_000; // for one rule by one expander; then it is given up

const digits = (time, length) => time.toString().replaceAll(/[-:]/g, "").slice(0, length);

// ical.js follows the order in which a list is written
const inOrder = (rule) =>
  rule.replaceAll(/=([^;]*,[^;]*)/g, (_, list) => "=" + list.split(",").sort((a, b) => a - b).join(","));

// A rule that matches nothing would be followed for ever
const ending = (rule, { before }) =>
  /COUNT=|UNTIL=/.test(rule) ? rule : `${rule};UNTIL=${before}${before.length === 8 ? "" : "Z"}`;

function byIcal({ start, rule, before }) {
  const first = ICAL.Time.fromData({
    year: +start.slice(0, 4), month: +start.slice(4, 6), day: +start.slice(6, 8), isDate: start.length === 8,
    hour: +start.slice(9, 11), minute: +start.slice(11, 13), second: +start.slice(13, 15),
  });
  const starts = ICAL.Recur.fromString(inOrder(rule)).iterator(first);
  const found = [];
  for (let each = starts.next(); each && found.length < MOST; each = starts.next()) {
    const text = digits(each, start.length);
    if (text >= before) break;
    found.push(text);
  }
  return found;
}

function byRruleTemporal({ start, rule, before }, most = MOST) {
  const first = start.length === 8 ? `;VALUE=DATE:${start}` : `:${start}Z`;
  const starts = new RRuleTemporal({
    rruleString: `DTSTART${first}\nRRULE:${rule}`, maxIterations: 1e5, maxCandidateEvaluations: 1e7,
  });
  const found = [];
  starts.all((each) => {
    const text = digits(each, start.length);
    if (text < before) found.push(text);
    return text < before && found.length < most;
  });
  return found;
}

globalThis.calls = {
  "ical.js": byIcal,
  "rrule-temporal": byRruleTemporal,
  first: (asked) => byRruleTemporal({ ...asked, rule: ending(asked.rule.replace(/;COUNT=\d+/, ""), asked) }, 1)[0],
};

// Some follow a rule for ever.
function within(name, asked) {
  globalThis.asked = asked;
  try {
    return vm.runInThisContext(`calls[${JSON.stringify(name)}](asked)`, { timeout: MILLISECONDS });
  } catch (error) {
    return String(error);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  asked.rule = ending(asked.rule, asked);
  const first = within("first", asked);
  const answer = { start: first ?? asked.start };
  for (const name of asked.by) answer[name] = first ? within(name, { ...asked, start: first }) : [];
  process.stdout.write(JSON.stringify(answer) + "\n");
}
