// Opens each report of a directory in a headless Chromium, light and dark, wide and narrow, and looks: is everything
// inside, readable, free of scripts and requests? `node check.mjs DIR [SCREENSHOTS]`. The browser comes with a package.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";

const [directory, screenshots] = process.argv.slice(2);
if (screenshots) mkdirSync(screenshots, { recursive: true });
const files = readdirSync(directory).filter((name) => /\.(html|svg)$/.test(name)).sort();
if (files.length === 0) throw new Error(`there is no page in ${directory}`);
const wrong = [];
const insist = (holds, where, what) => holds || wrong.push(`${where}: ${what}`);

// Runs in the page: everything that its reader would see as a mistake.
function look() {
  const found = [];
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    const rect = document.querySelector("svg .ground");
    return rect ? numbers(getComputedStyle(rect).fill) : [255, 255, 255];
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const texts = [...document.querySelectorAll("svg text, h1, h2, p, th, td, dt, dd, b, span")].filter((one) => one.textContent.trim());
  for (const text of texts) {
    const style = getComputedStyle(text);
    const colour = numbers(text instanceof SVGElement ? style.fill : style.color);
    const ratio = contrast(colour, ground(text));
    if (ratio < 4.5) found.push(`"${text.textContent.trim().slice(0, 40)}" has a contrast of ${ratio.toFixed(2)}`);
  }
  for (const svg of document.querySelectorAll("svg.chart")) {
    const view = svg.viewBox.baseVal;
    const labels = [...svg.querySelectorAll("text")].map((text) => ({ text, box: text.getBBox(), at: text.getCTM() }));
    const boxes = labels.map(({ text, box }) => {
      const point = new DOMPoint(box.x, box.y).matrixTransform(svg.getScreenCTM().inverse().multiply(text.getScreenCTM()));
      return { text, x: point.x, y: point.y, width: box.width, height: box.height };
    });
    for (const { text, x, y, width, height } of boxes) {
      if (x < -0.5 || y < -0.5 || x + width > view.width + 0.5 || y + height > view.height + 0.5) found.push(`"${text.textContent}" leaves the chart`);
    }
    for (const [place, one] of boxes.entries()) {
      for (const other of boxes.slice(place + 1)) {
        const across = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
        const down = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
        if (across > 1 && down > 3) found.push(`"${one.text.textContent}" covers "${other.text.textContent}"`);
      }
    }
    for (const shape of svg.querySelectorAll("rect, path")) {
const sizes = ["width", "height"].map((name) => shape.getAttribute(name) ?? "0").filter((size) => size !== "100%");
      if (!sizes.every((size) => Number(size) >= 0)) found.push(`a shape has the size ${sizes}`);
      if (/NaN|Infinity/.test(shape.outerHTML)) found.push("a shape is nowhere");
    }
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push(`it is ${document.documentElement.scrollWidth} wide, the window ${innerWidth}`);
  if (document.querySelector("script, iframe, object, link, img, image, foreignObject")) found.push("it holds what it should not");
  if ([...document.querySelectorAll("*")].some((one) => [...one.attributes].some(({ name }) => name.startsWith("on")))) found.push("it holds a handler");
  const rows = document.querySelectorAll("svg .row").length;
  return { found, rows, ground: getComputedStyle(document.body ?? document.documentElement).backgroundColor + (document.querySelector("svg .ground") ? getComputedStyle(document.querySelector("svg .ground")).fill : "") };
}

const browser = await launch();
let looked = 0;
try {
  for (const file of files) {
    const grounds = new Set();
    for (const [scheme, width] of [["light", 1200], ["dark", 1200], ["light", 390]]) {
      if (width < 960 && file.endsWith(".svg")) continue; // a picture has the size it has
      const where = `${file}, ${scheme}, ${width} wide`;
      const page = await browser.newPage();
      const heard = [];
      page.on("console", (message) => heard.push(message.text()));
      page.on("pageerror", (error) => heard.push(String(error)));
      page.on("request", (request) => request.url().startsWith("file:") || heard.push(`asks for ${request.url()}`));
      page.on("dialog", (dialog) => { heard.push("a script ran"); dialog.dismiss(); });
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(pathToFileURL(resolve(join(directory, file))).href);
      const seen = await page.evaluate(look);
      for (const what of [...heard, ...new Set(seen.found)]) insist(false, where, what);
      insist(seen.rows > 0 || file.startsWith("empty"), where, "no row is drawn");
      if (width > 960) grounds.add(seen.ground);
      if (screenshots) await page.screenshot({ path: join(screenshots, `${basename(file)}-${scheme}-${width}.png`), fullPage: true });
      await page.close();
      looked += 1;
    }
    insist(grounds.size === 2, file, "light and dark look the same");
    insist(!/https?:\/\/(?!www\.w3\.org\/2000\/svg)/.test(readFileSync(join(directory, file), "utf8")), file, "it names an address");
  }
} finally {
  await browser.close();
}
wrong.forEach((what) => console.error(what));
console.log(`${files.length} pages, looked at ${looked} times, ${wrong.length} mistakes`);
process.exit(wrong.length === 0 ? 0 : 1);
