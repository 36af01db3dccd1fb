// Keeps the live parts of a page fresh, and sends forms without losing what is typed in them. Pages work without it.
"use strict";

const parsed = async (response) => new DOMParser().parseFromString(await response.text(), "text/html");

// Puts in place what differs, and leaves the reader where they were: focus, scrolled lists, opened details.
function swap(id, fresh) {
  const old = document.getElementById(id);
  if (!old || !fresh || old.outerHTML === fresh.outerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  const scrolled = [...old.querySelectorAll(".scroll, .tall")].map((one) => [one.scrollLeft, one.scrollTop]);
  old.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((one, place) => (one.open = open[place] ?? one.open));
  fresh.querySelectorAll(".scroll, .tall").forEach((one, place) => ([one.scrollLeft, one.scrollTop] = scrolled[place] ?? [0, 0]));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

const live = () => [...document.querySelectorAll("[data-live]")];
function said(text) {
  const place = document.getElementById("said");
  if (place && place.textContent !== text) place.textContent = text;
}

let asking = null;
async function refresh(address = location.href) {
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    const response = await fetch(address, { signal: mine.signal, headers: { accept: "text/html" } });
    if (response.status === 401 || response.status === 403) return said("This session has ended. Load the page again, or open the console by a new link.");
    if (!response.ok) return said("The console cannot read the copy just now.");
    const fresh = await parsed(response);
    for (const part of live()) swap(part.id, fresh.getElementById(part.id));
    said("");
  } catch (error) {
    if (error.name !== "AbortError") said("The console does not answer: is its command still running?");
  }
}

function wait() {
  const seconds = live().map((part) => Number(part.dataset.live)).filter((one) => one > 0);
  if (!seconds.length) return;
  setTimeout(async () => {
    if (!document.hidden) await refresh();
    wait();
  }, 1000 * Math.min(...seconds));
}

// Filters narrow the list while one types; the address follows, so that it can be shared.
for (const form of document.querySelectorAll("form[data-search]")) {
  let timer;
  const search = (now) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
      history.replaceState(null, "", query.size ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action"));
      refresh();
    }, now ? 0 : 200);
  };
  form.addEventListener("input", (event) => search(event.target.tagName === "SELECT"));
}

// A form in parts: what the answer brings anew replaces its part, and what was typed, secrets above all, stays here.
const PARTS = ["organizations", "repository-list", "authorization", "findings", "problem", "done"];
let again;
let turn = 0;
async function send(form, button) {
  clearTimeout(again);
  const mine = ++turn;
  const fields = new URLSearchParams(new FormData(form));
  if (button?.name) fields.set(button.name, button.value);
  button?.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(button?.getAttribute("formaction") ?? form.getAttribute("action"), { method: "POST", body: fields });
    if (response.redirected) return location.assign(response.url);
    const fresh = await parsed(response);
    if (!fresh.getElementById("problem")) return said(fresh.querySelector("main")?.textContent.trim() ?? "That did not work.");
    const polling = button?.hasAttribute("data-again");
    const parts = button?.hasAttribute("formaction") ? ["authorization", "problem"] : button?.value === "look" ? ["organizations", "repository-list", "problem"] : ["findings", "problem", "done"];
    // An answer that was overtaken says nothing of what was asked since.
    for (const id of PARTS.filter((id) => parts.includes(id) && (id !== "problem" || mine === turn))) swap(id, fresh.getElementById(id));
    if (!polling) document.querySelector("#problem .notice")?.scrollIntoView({ block: "nearest" });
    follow(form, polling || button?.hasAttribute("formaction"));
  } catch {
    said("The console does not answer: is its command still running?");
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

// Of an authorization: asks again when GitHub may be asked, and goes on once it is there.
function follow(form, authorizing) {
  const button = form.querySelector("[data-again]");
  if (button) again = setTimeout(() => send(form, button), 1000 * Number(button.dataset.again));
  else if (authorizing && form.querySelector("#authorization [data-then]")) send(form, form.querySelector("#look"));
}

for (const form of document.querySelectorAll("form[data-parts]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter);
  });
  form.addEventListener("change", (event) => {
    const { target } = event;
    const asks = target.dataset.then === "look" && target.value.trim() || target.name === "organization" || target.name === "which" && target.value === "listed";
    if (asks) send(form, form.querySelector("#look"));
  });
  let timer;
  form.addEventListener("input", (event) => {
    if (!event.target.hasAttribute("data-look")) return;
    clearTimeout(timer);
    timer = setTimeout(() => send(form, form.querySelector("#look")), 250);
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-quiet")) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form));
  if (event.submitter?.name) fields.set(event.submitter.name, event.submitter.value);
  const response = await fetch(form.getAttribute("action"), { method: "POST", body: fields });
  if (!response.ok) said((await parsed(response)).querySelector("main")?.textContent.trim() ?? "That did not work.");
  else await refresh();
});

// Back from where one signs in: what was brought from there is shown to the door, which lets one in.
const pass = document.getElementById("pass");
async function enter() {
  try {
    const response = await fetch("/session", { method: "POST", headers: { authorization: `Bearer ${pass.dataset.pass}` } });
    if (response.ok) return location.replace(await response.text());
    const why = response.headers.get("content-type")?.startsWith("text/html") ? (await parsed(response)).querySelector("main p") : null;
    pass.textContent = why?.textContent ?? "What the issuer says of you is not accepted here.";
  } catch {
    pass.textContent = "The console does not answer. Begin again in a while.";
  }
}
if (pass) enter();

wait();
