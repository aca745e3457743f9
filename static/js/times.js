// Keeps the times of a page true: what is relative counts on, what is absolute is shown in the reader's zone.
// The server has written readable text into every element; without this script a page says the same, only at rest.

// English pages write dates as the server does: 22 Nov 2026, 14:32.
const language = document.documentElement.lang;
const locale = language === "en" ? "en-GB" : language;

const inWords = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
const rightNow = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(0, "second");
const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
const date = { day: "numeric", month: "short", year: "numeric" };
const timeOnly = new Intl.DateTimeFormat(locale, time);
const dateAndTime = new Intl.DateTimeFormat(locale, { ...date, ...time });
const toTheSecond = new Intl.DateTimeFormat(locale, { ...date, ...time, second: "2-digit" });

// Up to how many, in units of how many seconds; accounts/templatetags/times.py has the same steps.
const steps = [
  [60, 1, "second"],
  [120, 60, "minute"],
  [48, 3600, "hour"],
  [Infinity, 86400, "day"],
];

// The reader's clock may be wrong: count by the server's.
const serverTime = Date.parse(document.querySelector("meta[name=server-time]").content);
const ahead = serverTime - Date.now();
const now = () => Date.now() + ahead;

function relative(at) {
  const seconds = (at - now()) / 1000;
  if (Math.abs(seconds) < 1) return rightNow;
  // What would be rounded up to the limit is said in the next unit.
  const inUnits = (size) => Math.round(Math.abs(seconds) / size);
  const [, size, unit] = steps.find(([limit, size]) => inUnits(size) < limit);
  return inWords.format(Math.sign(seconds) * inUnits(size), unit);
}

function clock(at) {
  const isToday = new Date(at).toDateString() === new Date(now()).toDateString();
  return (isToday ? timeOnly : dateAndTime).format(at);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  for (const element of document.querySelectorAll("time[data-time=relative]")) {
    write(element, relative(Date.parse(element.dateTime)));
  }
  for (const words of document.querySelectorAll("[data-then]")) {
    if (Date.parse(words.dataset.until) <= now()) write(words, words.dataset.then);
  }
  for (const element of document.querySelectorAll("[data-before]")) {
    element.hidden = Date.parse(element.dataset.before) <= now();
  }
  for (const element of document.querySelectorAll("[data-after]")) {
    element.hidden = Date.parse(element.dataset.after) > now();
  }
  for (const meter of document.querySelectorAll("meter[data-until]")) {
    meter.value = Math.max(0, (Date.parse(meter.dataset.until) - now()) / 1000);
  }
}

// What has been updated in place is as the server wrote it, and has lost the mark with the rest.
function localise() {
  for (const element of document.querySelectorAll("time[data-time]:not([data-localised])")) {
    const at = Date.parse(element.dateTime);
    element.title = `${toTheSecond.format(at)} (${element.title})`;
    if (element.dataset.time === "clock") write(element, clock(at));
    element.dataset.localised = "";
  }
  tick();
}

localise();
document.addEventListener("htmx:after:swap", localise);
setInterval(() => document.hidden || tick(), 1000);
document.addEventListener("visibilitychange", tick);
