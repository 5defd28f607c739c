// A browser that looks at a page of one file, and notes what it complains of, what it asks for, and what keeps people out.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const overflowOf = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

export class Looker {
  seen = { complaints: [], requests: [], barriers: [], faint: [], views: {} };

  constructor(browser, pictures) {
    Object.assign(this, { browser, pictures });
  }

  // Opens a page in a window of a size and a theme, and looks at each of its tabs, the last of which stays open.
  async open(file, name, { width, height, colorScheme }, tabs, finish) {
    const url = pathToFileURL(file).href;
    const { seen } = this;
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme, permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
    page.on("pageerror", (error) => seen.complaints.push(error.message));
    page.on("request", (request) => request.url() !== url && seen.requests.push(request.url()));
    const start = Date.now();
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    seen.views[name] = {
      milliseconds: Date.now() - start,
      overflow: await overflowOf(page),
      background: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    };
    await page.screenshot({ path: `${this.pictures}/${name}.png` });
    await page.evaluate(axe);
    for (const tab of tabs) {
      await page.click(`#tab-${tab}`);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      seen.barriers.push(...violations.map((rule) => `${name} ${tab}: ${rule.id}: ${rule.nodes[0].html.slice(0, 120)}`));
      seen.views[name].overflow = Math.max(seen.views[name].overflow, await overflowOf(page));
      await finish?.(page, tab);
    }
    return page;
  }

  // Everything that is operated needs a name.
  async nameless(page) {
    return page.evaluate(() => [...document.querySelectorAll("button, input, select, [role]")].filter((element) => !(element.textContent.trim() || element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.labels?.length || element.hidden || element.getAttribute("role") === "status")).map((element) => element.outerHTML.slice(0, 120)));
  }
}
