// A headless Chromium that comes with a package, and the font that it draws with: a bare machine has neither.
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The package unpacks itself into the temporary folder, and brings the libraries that a bare machine lacks only where it
// thinks that it is a function.
process.env.AWS_LAMBDA_JS_RUNTIME ??= "nodejs22.x";
const { default: chromium } = await import("@sparticuz/chromium");
const { default: puppeteer } = await import("puppeteer-core");

export async function launch() {
  const executablePath = await chromium.executablePath();
  // It looks for its font in /tmp, wherever the temporary folder is; without one, texts have no size and pages no text.
  const file = join(tmpdir(), "fonts.conf");
  writeFileSync(file, `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(tmpdir(), "fonts")}</dir><cachedir>${join(tmpdir(), "fonts-cache")}</cachedir></fontconfig>`);
  process.env.FONTCONFIG_FILE = file;
  // The package switches off what protects a page from others: that is to be seen at work.
  const unsafe = /^--(disable-web-security|allow-running-insecure-content|disable-site-isolation-trials|single-process)$/;
  return puppeteer.launch({ executablePath, args: chromium.args.filter((one) => !unsafe.test(one)), headless: "shell" });
}
