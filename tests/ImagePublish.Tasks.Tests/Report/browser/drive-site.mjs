// Reads the documentation's site from its files, as people do, and reports in JSON what it saw: node drive-site.mjs site folder-for-pictures
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { axe, launch, overflowOf } from "./look.mjs";

const [site, pictures] = process.argv.slice(2);
const desktop = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
const browser = await launch();
const seen = { complaints: [], requests: [], overflow: [], broken: [], barriers: [] };
const urlOf = (path) => pathToFileURL(join(site, path)).href;
const picture = (page, name) => page.screenshot({ path: `${pictures}/site-${name}.png` });
const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const where = (page) => {
  const [file, anchor] = page.url().split("#");
  return relative(site, fileURLToPath(file)) + (anchor ? `#${anchor}` : "");
};

async function newPage(options) {
  const context = await browser.newContext({ viewport: desktop, colorScheme: "light", permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(`${page.url()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.complaints.push(`${page.url()}: ${error.message}`));
  page.on("request", (request) => request.url().startsWith(urlOf("")) || seen.requests.push(request.url()));
  return page;
}

async function open(page, path) {
  await page.goto(urlOf(path));
  await page.waitForSelector("html[data-ready]");
}

// Every page, in both widths: nothing is wider than the window, and each link leads to something that is there.
const page = await newPage({});
const paths = readdirSync(site, { recursive: true }).filter((name) => name.endsWith(".html"));
const files = new Set(readdirSync(site, { recursive: true }));
const pages = new Map();
for (const path of paths) {
  await open(page, path);
  pages.set(path, await page.evaluate(() => ({ ids: [...document.querySelectorAll("[id]")].map((element) => element.id), links: [...document.querySelectorAll("a[href], img[src]")].map((element) => element.href ?? element.src) })));
  for (const size of [phone, desktop]) {
    await page.setViewportSize(size);
    if ((await overflowOf(page)) > 0) seen.overflow.push(`${path} at ${size.width}`);
  }
}
for (const [path, { links, ids }] of pages) {
  if (new Set(ids).size < ids.length) seen.broken.push(`${path}: an anchor stands twice`);
  for (const link of links.filter((href) => href.startsWith("file:"))) {
    const target = relative(site, fileURLToPath(link.split("#")[0]));
    const anchor = decodeURIComponent(link.split("#")[1] ?? "");
    if (!files.has(target) || (anchor && !pages.get(target)?.ids.includes(anchor))) seen.broken.push(`${path}: ${link}`);
  }
}
seen.pages = paths;
seen.links = [...pages.values()].reduce((sum, { links }) => sum + links.length, 0);

// What keeps people out, and pictures.
for (const [name, options] of Object.entries({ desktop: { viewport: desktop, colorScheme: "light" }, phone: { viewport: phone, colorScheme: "dark" } })) {
  const view = await newPage(options);
  for (const path of ["index.html", "docs/recipes.html", "docs/properties.html"]) {
    await open(view, path);
    await picture(view, `${path.replace(/\W/g, "-")}-${name}`);
    await view.evaluate(axe);
    const { violations } = await view.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], preload: false }));
    seen.barriers.push(...violations.map((rule) => `${path} ${name}: ${rule.id}: ${rule.nodes[0].html.slice(0, 160)}`));
  }
}

// From link to link.
await open(page, "index.html");
await page.locator("article a", { hasText: "what it looks like" }).click();
seen.followed = where(page);
await page.locator("#nav a", { hasText: "Recipes" }).click();
seen.turned = where(page);
await page.locator("#outline a", { hasText: "Jenkins" }).click();
await page.waitForFunction(() => document.querySelector("#outline .here")?.textContent === "Jenkins");
seen.outlined = where(page);

// The search, by keys alone.
async function search(words) {
  await page.fill("#search input", words);
  await page.waitForFunction(() => document.querySelector("#hits li") || document.querySelector(".hint").textContent);
  return page.locator("#hits b").allInnerTexts();
}
await page.keyboard.press("/");
await page.waitForSelector("#search[open]");
seen.names = await search("ImageCacheFrom");
seen.code = await search("img1001");
seen.words = await search("mirror registry");
seen.marks = await page.locator("#hits mark").allInnerTexts();
await picture(page, "search-light");
seen.nothing = (await search("zzzzqqq"), await page.innerText(".hint"));
await search("ImageCacheFrom");
await page.keyboard.press("ArrowDown");
await page.keyboard.press("ArrowUp");
await page.keyboard.press("Enter");
await page.waitForFunction(() => location.hash);
seen.found = where(page);
seen.isInView = await page.evaluate(() => document.querySelector(location.hash).getBoundingClientRect().top < innerHeight);

// The theme stays from page to page.
const light = await background(page);
await page.click("#theme");
seen.toggled = (await background(page)) !== light && (await page.getAttribute("#theme", "aria-pressed")) === "true";
await open(page, "docs/tour.html");
seen.kept = (await background(page)) !== light;

// Copying.
await page.locator(".copy").first().click();
await page.waitForFunction(() => document.querySelector(".copy").textContent === "Copied");
seen.copied = await page.evaluate(() => navigator.clipboard.readText());

// A phone: the menu.
const small = await newPage({ viewport: phone, colorScheme: "dark" });
await open(small, "docs/tour.html");
await small.click("#menu");
await picture(small, "menu-phone-dark");
await small.locator("#nav a", { hasText: "Troubleshooting" }).click();
seen.chosen = where(small);
await small.click("#find");
await small.fill("#search input", "credentials");
await small.waitForSelector("#hits li");
await picture(small, "search-phone-dark");

// Without scripts there is still everything to read.
const plain = await newPage({ javaScriptEnabled: false, viewport: phone });
await plain.goto(urlOf("docs/tour.html"));
seen.plain = await plain.locator("#nav a:visible").count();
seen.uselessButtons = await plain.locator("button:visible").count();
await picture(plain, "plain");
await browser.close();
console.log(JSON.stringify(seen));
