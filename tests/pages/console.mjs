// Uses the console as a person does, in a headless Chromium: signs in by the link, installs connectors against the
// simulated GitHub by token and by OAuth (a code, and GitHub's own page), watches the copy come, edits, pauses, removes; and looks at every page, light and
// dark, wide and narrow, for what a reader would see as a mistake. `node console.mjs BIN_DIR DIR [SCREENSHOTS]`.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { launch } from "./browser.mjs";
import { reports } from "./reports.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const [bin, directory, screenshots] = process.argv.slice(2).map((path) => resolve(path));
const TOKEN = "sim-token"; // what the simulated GitHub accepts
const SECRET = "canary-client-secret"; // of its OAuth app
const WIDTHS = [["light", 1280], ["dark", 1280], ["light", 360], ["dark", 360], ["light", 2560]];
const PATIENCE = 180_000; // ms
const wrong = [];
const insist = (holds, what) => holds || wrong.push(what);
if (screenshots) mkdirSync(screenshots, { recursive: true });

const children = [];
// The first line that a program prints.
function begin(program, args) {
  const child = spawn(join(bin, program), args, { env: { PATH: "/nowhere" }, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  return new Promise((found, failed) => {
    child.once("exit", (code) => failed(new Error(`${program} ended with ${code}`)));
    lines.once("line", found);
  });
}

rmSync(directory, { recursive: true, force: true });
const [github] = (await begin("sim-github", ["--size", "organization", "--latency-ms", "20"])).split(" ");
const link = await begin("sei-github", ["console", "--port", "0", "--data-dir", directory]);
const home = new URL(link).origin;

const browser = await launch();
let looked = 0;
let sent = ""; // everything that the console ever answered
try {
  const page = await browser.newPage();
  // On a machine that tests much else at the same time; only what hangs takes so long.
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => message.type() === "error" && !/40[134]|422/.test(message.text()) && wrong.push(`the browser says: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("dialog", (dialog) => { wrong.push("a script ran that is not ours"); dialog.dismiss(); });
  page.on("request", (request) => request.url().startsWith(home) || wrong.push(`asks for ${request.url()}`));
  page.on("response", async (response) => { try { sent += await response.text(); } catch { /* a redirection has no text */ } });
  await page.setViewport({ width: 1280, height: 900 });

  const text = () => page.$eval("main", (main) => main.innerText);
  const until = async (what, holds, limit = PATIENCE) => {
    const end = Date.now() + limit;
    while (Date.now() < end) {
      // While a page goes to the next one, nothing holds.
      if (await page.evaluate(holds).catch(() => false)) return;
      await new Promise((wait) => setTimeout(wait, 100));
    }
    throw new Error(`${what}; the page says: ${(await text()).slice(-700)}; ${await page.$eval("#said", (one) => one.innerText)}`);
  };
  const press = async (words) => {
    const found = await page.evaluateHandle((words) => [...document.querySelectorAll("button, a.button")].find((one) => one.innerText.trim().startsWith(words) && one.checkVisibility()), words);
    if (!found.asElement()) throw new Error(`there is no button "${words}": ${await text()}`);
    await found.click();
  };
  const choose = (name, value) => page.$eval(`[name="${name}"][value="${value}"]`, (one) => one.click());

  // Nobody gets in without the link, and the link is good once.
  await page.goto(`${home}/console/`);
  insist((await text()).includes("not signed in"), "without a session there is a page");
  await page.goto(link);
  await until("the link does not lead in", () => location.pathname === "/console/" && document.querySelector("h1")?.innerText === "Activity");
  const again = await fetch(link);
  insist(again.status === 403 && !again.headers.get("set-cookie"), "the link is good twice");

  const began = Date.now();
  await look(page, "empty");
  await press("Install a connector");
  await page.waitForSelector("[name=token]");
  await look(page, "install");
  await choose("kind", "server");
  await page.type("[name=api_url]", github);

  // A wrong token is told beside the form, and what was typed stays.
  await page.type("[name=name]", "acme");
  await page.type("[name=token]", "ghp_wrong0123456789");
  await press("Check");
  await until("a check without an organization is not refused", () => /organization/.test(document.querySelector("#problem").innerText));
  await page.type("[name=organizations]", "acme");
  await press("Check");
  await until("a wrong token is not told", () => /does not accept/.test(document.querySelector("#findings").innerText));
  insist((await page.$eval("[name=token]", (one) => one.value)) !== "", "the form forgot what was typed");
  await look(page, "refused");

  await page.$eval("[name=token]", (one) => (one.value = ""));
  await page.$eval("[name=organizations]", (one) => (one.value = ""));
  await page.type("[name=token]", TOKEN);
  await page.keyboard.press("Tab");
  await until("organizations are not found by themselves", () => document.querySelector("[name=organization][value=acme]")?.checked);
  await choose("which", "listed");
  await until("repositories are not listed", () => document.querySelectorAll("[name=repository]").length > 10);
  await page.type("[name=find]", "repo-01");
  await until("the list does not narrow", () => document.querySelectorAll("[name=repository]").length === 1);
  await look(page, "listed");
  await choose("which", "all");
  await press("Check");
  await until("what can work is not found", () => /can work/.test(document.querySelector("#findings").innerText));
  await look(page, "checked");
  await press("Save");
  await until("nothing is saved", () => location.pathname === "/console/connectors/of/acme");
  const took = (Date.now() - began) / 1000;
  insist(took < 120, `it took ${took} s to install`);

  // The copy comes while one looks on, without a reload.
  await page.evaluate(() => (window.marked = true));
  const steps = new Set();
  await until("the sync does not end", () => /done|not all/.test(document.querySelector("#live .chip").innerText) || !(window.steps ??= new Set()).add(document.querySelector("#live progress")?.value), 600000);
  (await page.evaluate(() => [...(window.steps ?? [])])).forEach((step) => steps.add(step));
  insist(steps.size > 2, `progress was seen ${steps.size} times only`);
  insist(await page.evaluate(() => window.marked), "the page was loaded anew");
  insist(/done/.test(await page.$eval("#live .chip", (one) => one.innerText)), "the sync did not end well");
  await look(page, "connector");
  await page.goto(`${home}/console/`);
  await look(page, "activity");
  await page.type("[name=find]", "repo-03");
  await until("the list does not narrow", () => document.querySelectorAll("#repositories tbody tr").length === 1);
  insist(page.url().endsWith("?find=repo-03"), `the address is ${page.url()}`);
  await page.reload();
  insist((await page.$$("#repositories tbody tr")).length === 1, "the address does not lead to the same");
  await page.click("#repositories tbody a");
  await page.waitForSelector("table");
  await look(page, "repository");

  // Changed, paused, resumed.
  await page.goto(`${home}/console/connectors/of/acme`);
  await choose("fetch", "deployments");
  await press("Save changes");
  await until("nothing is saved", () => /Saved/.test(document.querySelector("#done").innerText));
  await Promise.all([page.waitForNavigation(), press("Pause")]);
  insist((await text()).includes("paused"), "it is not paused");
  await Promise.all([page.waitForNavigation(), press("Resume")]);
  await page.goto(`${home}/console/connectors`);
  await look(page, "connectors");

  // By OAuth: a code, which the simulated person enters.
  await page.goto(`${home}/console/connectors/new`);
  await choose("kind", "server");
  await page.type("[name=api_url]", github);
  await choose("way", "oauth");
  await page.type("[name=client_id]", "Iv1.0123456789abcdef");
  await press("Authorize");
  await until("no code is shown", () => document.querySelector("#authorization .code"));
  await look(page, "authorize");
  await until("the code is not taken", () => /authorized/.test(document.querySelector("#authorization").innerText));
  await until("organizations are not found by themselves", () => document.querySelector("[name=organization][value=acme]")?.checked);
  await page.type("[name=name]", "by-oauth");
  await page.$eval("[name=start]", (one) => one.click());
  await press("Save");
  await until("nothing is saved", () => location.pathname === "/console/connectors/of/by-oauth");
  await page.type("[name=name_again]", "by-oauth");
  await Promise.all([page.waitForNavigation(), press("Remove by-oauth")]);
  insist(!(await text()).includes("by-oauth"), "it is not removed");

  // By OAuth with the app's secret: on GitHub's own page in another tab, while the form goes on.
  await page.goto(`${home}/console/connectors/new`);
  await choose("kind", "server");
  await page.type("[name=api_url]", github);
  await page.type("[name=name]", "by-browser");
  await choose("way", "oauth");
  await page.type("[name=client_id]", "Iv1.0123456789abcdef");
  await page.type("[name=client_secret]", SECRET);
  await press("Authorize");
  await until("nothing leads to GitHub", () => document.querySelector("#authorization a.button"));
  await look(page, "authorize-away");
  for (const answer of ["no", "yes"]) {
    const opened = browser.waitForTarget((target) => target.url().startsWith(`${github}/login/oauth/authorize`));
    await press("Go to GitHub");
    const tab = await (await opened).page();
    await (await tab.waitForSelector(`#${answer}`)).click();
    await tab.waitForFunction((path) => location.pathname === path && document.querySelector("h1"), {}, "/console/connectors/new/authorized");
    const told = await tab.$eval("main", (main) => main.innerText);
    insist((answer === "yes" ? /Go on in the form/ : /declined/).test(told), `${answer}: the tab says ${told}`);
    await look(tab, `authorized-${answer}`);
    await tab.close();
    await page.bringToFront();
    if (answer === "no") {
      await until("what was declined is not told", () => /Authorize again/.test(document.querySelector("#problem").innerText));
      await press("Authorize");
      await until("nothing leads to GitHub again", () => document.querySelector("#authorization a.button"));
    }
  }
  await until("the form does not go on", () => /authorized/.test(document.querySelector("#authorization").innerText));
  await until("organizations are not found by themselves", () => document.querySelector("[name=organization][value=acme]")?.checked);
  await page.$eval("[name=start]", (one) => one.click());
  await press("Save");
  await until("nothing is saved", () => location.pathname === "/console/connectors/of/by-browser");
  insist(!(await page.content()).includes(SECRET), "the app's secret was sent back");

  // A report, asked in its form, shared by its address, taken along; the figures are the command's.
  await page.goto(`${home}/console/reports`);
  await look(page, "reports");
  await page.goto(`${home}/console/reports/issue-stages`);
  await page.$eval("[name=stages]", (one) => (one.value = "state"));
  await Promise.all([page.waitForNavigation(), page.$eval("form.filters button.main", (one) => one.click())]);
  insist(page.url().includes("stages=state"), `the address is ${page.url()}`);
  await look(page, "report");
  const counted = await page.evaluate(async () => (await fetch(location.pathname + "/json" + location.search)).json());
  const shown = await page.$$eval(".figures", (sections) => [...sections[0].querySelectorAll("tbody tr")].map((row) => [row.cells[0].innerText.trim(), row.cells[1].innerText.trim()]));
  insist(counted.groups.length > 1 && counted.groups.every((group) => shown.some(([name, count]) => name === group.name && Number(count) === group.sum_of_intervals.count)), `the page shows ${JSON.stringify(shown)}`);
  await page.goto(`${home}/console/reports/pr-cycle?across=week`);
  await look(page, "report-cycle");
  await page.goto(`${home}/console/reports/file-hotspots`);
  await look(page, "report-hotspots");
  await page.goto(`${home}/console/reports/rework?committed=yesterday`);
  insist((await text()).includes("committed"), "what is mistyped is not told");
  await look(page, "report-wrong");
  await page.goto(`${home}/console/reports/first-response?across=creator`);
  await look(page, "report-response");
  await page.goto(`${home}/console/reports/pr-collaboration?across=creator`);
  await look(page, "report-collaboration");
  const compared = await reports(page, home, insist);

  for (const name of ["events", "letters", "changes"]) {
    await page.goto(`${home}/console/${name}`);
    await look(page, name);
  }
  const done = await text();
  for (const what of ["connector.install", "connector.edit", "connector.pause", "connector.remove", "sync.begin"]) insist(done.includes(what), `${what} is in no list of changes`);
  await page.goto(`${home}/console/no-such-page`);
  await look(page, "absent");

  // By keyboard alone: what is skipped to, and that focus shows.
  await page.goto(`${home}/console/`);
  await page.keyboard.press("Tab");
  insist((await page.evaluate(() => document.activeElement.className)) === "skip", "the first stop is not the way to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  insist(await page.evaluate(() => document.querySelector("main").contains(document.activeElement)), "the content cannot be skipped to");
  insist(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none"), "focus does not show");

  // A stack's pages, as the package's own tests left them, under a name of their own: how they look, and that whoever signed
  // in is led on by the script.
  const left = join(bin, "../tmp/console-pages");
  insist(existsSync(left), "a stack's pages are not there: run the tests of the package console first");
  const policy = (await fetch(`${home}/console/`)).headers.get("content-security-policy");
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => wrong.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && !/403/.test(message.text()) && wrong.push(`the browser says: ${message.text()}`));
  const knocked = [];
  let doorkeeper = { status: 200, contentType: "text/plain", body: "/letters" };
  await tab.setRequestInterception(true);
  tab.on("request", async (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/console/assets/")) {
      const answer = await fetch(home + pathname);
      return request.respond({ contentType: answer.headers.get("content-type"), body: await answer.text() });
    }
    if (pathname === "/session") {
      knocked.push([request.method(), request.headers().authorization]);
      return request.respond(doorkeeper);
    }
    const file = join(left, `${pathname.slice(1)}.html`);
    return existsSync(file) ? request.respond({ contentType: "text/html; charset=utf-8", headers: { "content-security-policy": policy }, body: readFileSync(file) }) : request.abort();
  });
  for (const name of existsSync(left) ? ["letters", "letters-hostile", "hosted"] : []) {
    await tab.goto(`https://console.example/${name}`);
    if (name === "letters") await tab.$eval("details", (one) => (one.open = true));
    await look(tab, `stack-${name}`);
  }
  const brought = /data-pass="([^"]+)"/.exec(readFileSync(join(left, "signing-in.html"), "utf8"))[1];
  await tab.goto("https://console.example/signing-in");
  await tab.waitForFunction(() => location.pathname === "/letters");
  insist(knocked.length === 1 && knocked[0].join() === `POST,Bearer ${brought}`, `the door was shown ${JSON.stringify(knocked)}`);
  for (const [answer, told] of [
    [{ status: 403, contentType: "text/html", body: "<main><h1>Not signed in</h1><p>You are in no group.</p></main>" }, "You are in no group."],
    [{ status: 403, contentType: "application/json", body: '{"message":"Forbidden"}' }, "not accepted here"],
  ]) {
    doorkeeper = answer;
    await tab.goto("https://console.example/signing-in");
    await tab.waitForFunction((told) => document.getElementById("pass").textContent.includes(told), {}, told);
    await look(tab, "stack-signing-in");
  }
  await tab.close();

  const kept = readFileSync(join(directory, "credentials.json"), "utf8");
  insist(kept.includes(TOKEN), "the token is not kept");
  insist(kept.includes(SECRET), "the app's secret, without which its token ends, is not kept");
  insist(!sent.includes("ghp_wrong") && !sent.includes(SECRET), "a token was sent back to the browser");
  for (const [, token] of kept.matchAll(/"(gh[a-z]_[^"]+)"/g)) insist(!sent.includes(token), "a token was sent back to the browser");
  console.log(`installed in ${took.toFixed(1)} s, ${steps.size} steps of progress seen; ${compared} rows of reports compared with their pictures`);
} catch (error) {
  insist(false, String(error));
  if (screenshots) await (await browser.pages()).at(-1)?.screenshot({ path: join(screenshots, "failed.png") });
} finally {
  await browser.close();
  children.forEach((child) => child.kill());
}

// What its reader would see as a mistake, in every light and width.
async function look(page, name) {
  for (const [scheme, width] of WIDTHS) {
    const where = `${name}, ${scheme}, ${width} wide`;
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width, height: 900 });
    // It was asked for from outside of the page's policy.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const one of violations) insist(false, `${where}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(" | ")}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    insist(wide <= 1, `${where}: it is ${wide} px too wide`);
    insist(await page.evaluate(() => !document.querySelector("[style], script:not([src]), style") && ![...document.querySelectorAll("*")].some((one) => [...one.attributes].some(({ name }) => name.startsWith("on")))), `${where}: something is inline`);
    if (screenshots) await page.screenshot({ path: join(screenshots, `${name}-${scheme}-${width}.png`), fullPage: true });
    looked += 1;
  }
  await page.setViewport({ width: 1280, height: 900 });
}

wrong.forEach((what) => console.error(what));
console.log(`looked at ${looked} times, ${wrong.length} mistakes`);
process.exit(wrong.length === 0 && existsSync(directory) ? 0 : 1);
