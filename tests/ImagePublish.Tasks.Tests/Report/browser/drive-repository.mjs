// Looks at the page of a repository as people do, and reports in JSON what it saw: node drive-repository.mjs small.html large.html moved.html folder-for-pictures
import { launch, Looker } from "./look.mjs";

const [small, large, moved, pictures] = process.argv.slice(2);
const browser = await launch();
const looker = new Looker(browser, pictures);
const { seen } = looker;
const tabs = ["compare", "shared", "image", "versions"];
const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
const text = (page, selector) => page.locator(selector).innerText();
const open = (name, width, height, colorScheme) =>
  looker.open(small, `repository-${name}`, { width, height, colorScheme }, tabs, (page, tab) => picture(page, `repository-${name}-${tab}`));

const page = await open("desktop-light", 1280, 900, "light");
seen.nameless = await looker.nameless(page);
seen.range = await text(page, "#range");
seen.firstRow = await page.locator("#list tbody tr").first().innerText();
seen.chartRow = await page.locator("#list tbody tr", { hasText: "helm" }).innerText();
await page.locator("#notes summary").first().click();
seen.notes = await text(page, "#notes");
await page.locator("#notes summary").first().click();

// The filter.
const filter = async (on, words) => {
  const before = await text(on, "#range");
  await on.fill("#filter", words);
  await on.waitForFunction((old) => document.getElementById("range").innerText !== old, before);
  return text(on, "#range");
};
seen.filtered = await filter(page, "1.2. linux");
seen.nothing = await filter(page, "no such tag");
await filter(page, "");

// The newest with the one before it, by the mouse.
await page.locator("#list tbody tr").first().getByRole("button", { name: "Compare" }).click();
seen.lead = await text(page, "#compare-body .lead");
seen.states = await page.locator("#compare-body .state").allInnerTexts();
seen.compared = await text(page, "#compare-body");
await picture(page, "repository-compared");

// Others, typed.
const type = async (id, tag) => {
  await page.fill(`#${id}`, tag);
  await page.locator(`#${id}`).press("Tab");
};
await type("from", "latest");
seen.itself = await text(page, "#compare-body .lead");
await type("from", "1.0.0");
seen.typed = await text(page, "#compare-body .lead");
seen.unread = await text(page, "#compare-body");
await page.click("#swap");
seen.swapped = await text(page, "#compare-body .lead");
await type("from", "no-such-tag");
seen.invalid = await page.getAttribute("#from", "aria-invalid");

// From what pairs share, with arrow keys.
await page.click("#tab-shared");
seen.cells = await page.locator("#matrix button").count();
await page.locator("#matrix button[tabindex='0']").focus();
await page.keyboard.press("ArrowDown");
await page.keyboard.press("ArrowRight");
await page.keyboard.press("ArrowRight");
await page.keyboard.press("Enter");
seen.fromMatrix = await page.evaluate(() => document.activeElement.id);
seen.pair = `${await page.inputValue("#from")} to ${await page.inputValue("#to")}`;

// One image, and others by their tags.
await page.click("#tab-versions");
await page.locator("#list tbody .go").first().click();
seen.commands = await text(page, "#image-body");
await page.locator("#image-body .command .copy").first().click();
await page.waitForSelector("#status.on");
seen.copied = await page.evaluate(() => navigator.clipboard.readText());
await type("tag", "multi");
seen.platforms = await page.locator("#platform option").allInnerTexts();
await type("tag", "hostile");
seen.hostile = await text(page, "#image-body");
await type("tag", "chart");

// With keys alone: the picture, its choice, the tabs.
await page.click("#tab-versions");
await page.locator("#tab-versions").focus();
seen.stops = [];
while (seen.stops.length < 12 && seen.stops.at(-1) !== "filter") {
  await page.keyboard.press("Tab");
  seen.stops.push(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
}
await page.locator("#chart").focus();
await page.keyboard.press("End");
await page.keyboard.press("ArrowLeft");
seen.chosen = await page.getAttribute("#chart", "aria-valuetext");
await page.keyboard.press("Enter");
seen.opened = await page.evaluate(() => document.activeElement.id);
await page.keyboard.press("Home");
await page.keyboard.press("End");
seen.lastTab = await page.evaluate(() => document.activeElement.id);

await page.click("#theme");
seen.toggled = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
await page.emulateMedia({ media: "print" });
seen.printed = await page.evaluate(() => [...document.querySelectorAll("section")].every((part) => part.offsetHeight > 0));
await page.pdf({ path: `${pictures}/repository.pdf` });

await open("desktop-dark", 1280, 900, "dark");
await open("phone-light", 390, 844, "light");
await open("phone-dark", 390, 844, "dark");

// Five thousand.
await looker.open(large, "large-phone", { width: 390, height: 844, colorScheme: "light" }, []);
const many = await looker.open(large, "large", { width: 1280, height: 900, colorScheme: "light" }, ["versions"]);
seen.rowsOfAPage = await many.locator("#list tbody tr").count();
await many.click("#older");
seen.secondPage = await text(many, "#range");
seen.largeFiltered = await filter(many, "1.250.7");
// Two platforms on a base that moved.
const openMoved = (name, width, height, colorScheme) =>
  looker.open(moved, `moved-${name}`, { width, height, colorScheme }, tabs, (page, tab) => picture(page, `moved-${name}-${tab}`));
const onPhone = await openMoved("phone-light", 390, 844, "light");
seen.phoneRows = await onPhone.locator("#list tbody tr").allInnerTexts();
await openMoved("phone-dark", 390, 844, "dark");
await openMoved("desktop-dark", 1280, 900, "dark");
const drift = await openMoved("desktop-light", 1280, 900, "light");
seen.facts = await text(drift, "#facts");
seen.movedRows = await drift.locator("#list tbody tr").allInnerTexts();
seen.movedFiltered = await filter(drift, "behind");
await drift.locator("#list tbody .go", { hasText: "1.1.0" }).click();
seen.movedBase = await text(drift, "#image-body");
await picture(drift, "moved-outdated");
await drift.click("#tab-compare");
seen.comparePlatforms = await drift.locator("#compare-platform option").allInnerTexts();
seen.filesOf = {};
for (const platform of seen.comparePlatforms) {
  await drift.selectOption("#compare-platform", platform);
  seen.filesOf[platform] = await text(drift, "#compare-body");
}
await drift.selectOption("#compare-platform", seen.comparePlatforms[1]);
await picture(drift, "moved-compared");
await browser.close();
console.log(JSON.stringify(seen));
