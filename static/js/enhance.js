// What pages do in place where scripts run; without this they do the same by loading. htmx makes the requests, the
// attributes in the templates say which; here are the rules that hold for all of them.

const LIVE = "[data-live]";
// In this order: where somebody finds themselves whose control is gone from the page.
const LANDINGS = ["[aria-invalid=true]", "#messages", "#found", "#main"];
const GIVE_UP_AFTER = 3;

const isLive = (element) => element instanceof Element && element.matches(LIVE);
const failures = new WeakMap();

// Nobody does anything when a page asks by itself: that must not keep the session alive.
document.addEventListener("htmx:config:request", ({ target, detail: { ctx } }) => {
  if (isLive(target)) ctx.request.headers["X-Background"] = "true";
});

// What keeps itself up to date asks only while somebody can see it, and again as soon as they can.
document.addEventListener("htmx:before:request", (event) => {
  const isIdle = document.hidden || failures.get(event.target) >= GIVE_UP_AFTER;
  if (isLive(event.target) && isIdle) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll(LIVE)) element.dispatchEvent(new Event("refresh"));
});

// The notice says since when; the next good answer brings it back hidden.
function noteFailure(element) {
  failures.set(element, (failures.get(element) ?? 0) + 1);
  element.querySelector("[data-stale]")?.removeAttribute("hidden");
}
document.addEventListener("htmx:error", ({ target }) => isLive(target) && noteFailure(target));

// An answer to what has left the page comes too late: what stands there now is newer.
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (request.method === "GET" && !sourceElement.isConnected) event.preventDefault();
});

// An answer that is not this page, be it an error or where a redirect led, is shown whole: no part of this page can
// take it in. What keeps itself up to date puts up with errors, but not with the end of the session.
document.addEventListener("htmx:after:request", ({ target, detail: { ctx } }) => {
  const { status, raw } = ctx.response;
  const isPoll = isLive(target);
  if (isPoll && status < 400) failures.delete(target);
  if (isPoll && status >= 400 && status !== 401) {
    noteFailure(target);
    ctx.swap = "none";
  } else if (status >= 400 || new URL(raw.url).pathname !== location.pathname) {
    Object.assign(ctx, { target: document.body, select: null, selectOOB: null, swap: "innerHTML show:top" });
  }
});

// The address of an error is not worth going back to, and where one is already, no second time.
document.addEventListener("htmx:before:history:update", (event) => {
  const { history, response } = event.detail;
  if (response.status >= 400 || history.path === location.pathname + location.search) event.preventDefault();
});

// htmx gives the focus back to a control that has an id and is still there.
let focused = document.body;
document.addEventListener("htmx:before:swap", () => {
  focused = document.activeElement;
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const isPoll = isLive(ctx.sourceElement) && ctx.sourceElement.isConnected;
  if (!isPoll) announce();
  if (focused === document.body || document.activeElement !== document.body) return;
  const landing = isPoll ? ctx.sourceElement : LANDINGS.map((place) => document.querySelector(place)).find(Boolean);
  if (landing.tabIndex < 0) landing.tabIndex = -1;
  landing.focus({ preventScroll: isPoll });
});

function announce() {
  document.getElementById("announcement").textContent = document.getElementById("shown")?.textContent ?? "";
}

// What somebody has opened stays open when the page around it is brought up to date.
window.htmx.registerExtension("open-details", {
  htmx_before_morph_attr: (element, { attrName }) => !(element.matches("details") && attrName === "open"),
});
