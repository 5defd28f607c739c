// Looks at a report as people do, and tells in JSON what it saw: node drive.mjs report.html folder-for-pictures
import { launch, Looker } from "./look.mjs";

const [report, pictures] = process.argv.slice(2);
const browser = await launch();
const looker = new Looker(browser, pictures);
const { seen } = looker;

async function open(name, width, height, colorScheme) {
  const page = await looker.open(report, name, { width, height, colorScheme }, ["changes", "config", "use", "contents"]);
  seen.faint.push(...(await page.evaluate(faint)).map((text) => `${name}: ${text}`));
  return page;
}

// WCAG's contrast of the treemap's labels, whose colors axe does not compute.
function faint() {
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  return [...document.querySelectorAll("#map b, #map .inner")].map((label) => {
    const ground = label.matches(".inner") ? label : label.parentElement;
    return [label.textContent, contrast(light(getComputedStyle(label).color), light(getComputedStyle(ground).backgroundColor))];
  }).filter(([, ratio]) => ratio < 4.5).map(([text, ratio]) => `${text} ${ratio.toFixed(2)}`);
}

const path = (page) => page.locator("#path").innerText().then((text) => text.split("\n").map((part) => part.trim()).filter(Boolean));

const page = await open("desktop-light", 1280, 900, "light");
seen.facts = await page.locator("#facts").innerText();
seen.cells = await page.locator("#map .cell").count();
seen.nameless = await looker.nameless(page);

// Into a layer, with the mouse and out with the keyboard.
await page.locator("#list tbody .go").first().click();
seen.zoomed = await path(page);
await page.locator("#map .cell").first().focus();
await page.keyboard.press("ArrowRight");
seen.focused = await page.evaluate(() => document.activeElement.textContent);
await page.keyboard.press("Escape");
seen.back = await path(page);
await page.locator("#map .cell").first().focus();
await page.keyboard.press("Enter");
seen.entered = await path(page);

// With keys alone: from the top to a tab, to the treemap, into a row of the list, and never back to nowhere.
await page.keyboard.press("Escape");
await page.locator("#tab-contents").focus();
await page.keyboard.press("End");
seen.lastTab = await page.evaluate(() => document.activeElement.id);
await page.keyboard.press("Home");
seen.stops = [];
while (seen.stops.length < 20 && seen.stops.at(-1) !== "go") {
  await page.keyboard.press("Tab");
  seen.stops.push(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
}
await page.keyboard.press("Enter");
seen.arrived = await page.evaluate(() => document.activeElement.getAttribute("aria-current"));

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
await page.evaluate(() => (document.body.style.width = "700px"));
seen.cutOff = await page.evaluate(() => [...document.querySelectorAll("#map .cell")].filter((cell) => cell.getBoundingClientRect().right > document.getElementById("map").getBoundingClientRect().right + 1).length);
await page.evaluate(() => (document.body.style.width = ""));
await page.pdf({ path: `${pictures}/report.pdf` });

await open("desktop-dark", 1280, 900, "dark");
await open("phone-light", 390, 844, "light");
await open("phone-dark", 390, 844, "dark");
await browser.close();
console.log(JSON.stringify(seen));
