// Looks at a report as people do, and tells in JSON what it saw: node drive.mjs report.html folder-for-pictures
import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const [report, pictures] = process.argv.slice(2);
const url = pathToFileURL(report).href;
const seen = { complaints: [], requests: [], views: {} };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function open(name, width, height, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("request", (request) => request.url() !== url && seen.requests.push(request.url()));
  const start = Date.now();
  await page.goto(url);
  await page.waitForSelector("html[data-ready]");
  seen.views[name] = {
    milliseconds: Date.now() - start,
    overflow: await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    background: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
  };
  await page.screenshot({ path: `${pictures}/${name}.png` });
  return page;
}

const path = (page) => page.locator("#path").innerText().then((text) => text.split("\n").map((part) => part.trim()).filter(Boolean));

const page = await open("desktop-light", 1280, 900, "light");
seen.facts = await page.locator("#facts").innerText();
seen.cells = await page.locator("#map .cell").count();
seen.nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, select, [role]")].filter((element) => !(element.textContent.trim() || element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.labels?.length || element.hidden || element.getAttribute("role") === "status")).map((element) => element.outerHTML.slice(0, 120)));

// Into a layer, with the mouse and out with the keyboard.
await page.locator("#list tbody .go").first().click();
seen.zoomed = await path(page);
await page.locator("#map .cell").first().focus();
await page.keyboard.press("ArrowRight");
seen.focused = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
await page.keyboard.press("Escape");
seen.back = await path(page);
await page.locator("#map .cell").first().focus();
await page.keyboard.press("Enter");
seen.entered = await path(page);

// A file, found by parts of its name.
const before = Date.now();
await page.fill("#search", "needle txt");
await page.waitForFunction(() => document.querySelectorAll("#found-list li").length === 1);
seen.searchMilliseconds = Date.now() - before;
seen.found = await page.locator("#found-count").innerText();
await page.locator("#found-list button").click();
seen.hit = await page.locator("tr.hit td").first().innerText();
await page.screenshot({ path: `${pictures}/search.png` });

await page.click("#tab-changes");
seen.changes = await page.locator("#changes-body").innerText();
await page.screenshot({ path: `${pictures}/changes.png` });
await page.keyboard.press("ArrowRight");
seen.config = await page.locator("#config-body").innerText();
await page.click("#tab-use");
seen.commands = await page.locator("#use-body pre").allInnerTexts();
await page.locator("#use-body .copy").first().click();
await page.waitForSelector("#status.on");
seen.copied = await page.evaluate(() => navigator.clipboard.readText());
await page.screenshot({ path: `${pictures}/use.png` });
await page.click("#theme");
seen.toggled = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
await page.emulateMedia({ media: "print" });
seen.printed = await page.evaluate(() => [...document.querySelectorAll("section")].every((part) => part.offsetHeight > 0));
await page.pdf({ path: `${pictures}/report.pdf` });

await open("desktop-dark", 1280, 900, "dark");
await open("phone-light", 390, 844, "light");
await open("phone-dark", 390, 844, "dark");
await browser.close();
console.log(JSON.stringify(seen));
