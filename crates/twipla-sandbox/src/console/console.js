"use strict";

// The page works without this script, which submits the forms without leaving the page
// and replaces the parts of the page that have changed.

const live = document.querySelector("#live");
const message = document.querySelector("#message");

/** Replaces each live part of the page that differs in a new rendering of it. */
const update = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const open = [...document.querySelectorAll("details[open]")].map((details) => details.id);
  for (const old of document.querySelectorAll("[data-live]")) {
    const part = fresh.getElementById(old.id);
    if (!part || part.innerHTML === old.innerHTML) continue;
    const focused = old.contains(document.activeElement) && document.activeElement.closest("[id]").id;
    const scrolled = [...old.querySelectorAll(".scrolls")].map((region) => region.scrollTop);
    old.replaceChildren(...document.importNode(part, true).childNodes);
    old.querySelectorAll(".scrolls").forEach((region, index) => { region.scrollTop = scrolled[index] ?? 0; });
    for (const details of old.querySelectorAll("details")) details.open ||= open.includes(details.id);
    if (focused) (document.getElementById(focused)?.querySelector("summary, button") ?? document.getElementById(focused))?.focus();
  }
  // A restarted sandbox has a new token.
  const token = fresh.querySelector("[name=token]")?.value;
  if (token) for (const field of document.querySelectorAll("[name=token]")) field.value = token;
  return fresh;
};

let refreshing = false;
let again = false;

/** Fetches the page, one request at a time; later changes are fetched afterwards. */
const refresh = async () => {
  again = refreshing;
  if (refreshing) return;
  refreshing = true;
  try {
    const response = await fetch(location.href);
    if (response.ok) update(await response.text());
  } catch {
    // The event stream reports that the sandbox is unreachable.
  } finally {
    refreshing = false;
  }
  if (again) await refresh();
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".action")) return;
  event.preventDefault();
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = update(await response.text());
    message.replaceChildren(...page.querySelector("#message").childNodes);
    if (response.ok) form.closest("#reset")?.removeAttribute("open");
  } catch {
    message.textContent = "cannot reach the sandbox: is it still running?";
  }
});

// Advance the displayed clocks between updates.
let shown = Date.now();
setInterval(() => {
  const by = Date.now() - shown;
  shown += by;
  for (const time of document.querySelectorAll("#clock-times time")) {
    const now = new Date(Date.parse(time.dateTime) + by).toISOString();
    time.dateTime = now;
    time.textContent = `${now.slice(0, 19).replace("T", " ")} UTC`;
  }
}, 1000);

const events = new EventSource("/__sandbox/events");
events.addEventListener("open", async () => {
  await refresh();
  if (events.readyState === EventSource.OPEN) live.textContent = "Live";
});
events.addEventListener("error", () => { live.textContent = "The sandbox cannot be reached; retrying"; });
events.addEventListener("change", refresh);
