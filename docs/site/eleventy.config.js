// Builds the site: each page of pages.js from its Markdown file, into artifacts/site. A link or an anchor that leads nowhere is an error.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { createRequire } from "node:module";
import { groups, pages, outputOf } from "./pages.js";
import { breakable, createMarkdown } from "./markdown.js";
import { brokenLinks } from "./links.js";

const root = resolve(import.meta.dirname, "../..");
const output = join(root, "artifacts/site");
const read = (file) => readFileSync(join(root, file), "utf8").replaceAll("\r\n", "\n");

export default function (eleventy) {
  const outlines = new Map();
  const markdown = createMarkdown(outlines);
  const { escapeHtml } = markdown.utils;
  eleventy.setLibrary("md", markdown);
  pages.forEach((page, index) => {
    const text = read(page.source);
    eleventy.addTemplate(`${page.source.replace(/\.md$/, "")}.md`, page.source.endsWith(".md") ? text : `# ${page.label}\n\n\`\`\`text\n${text}\`\`\`\n`, {
      ...page,
      layout: "page.njk",
      permalink: outputOf(page.source),
      root: "../".repeat(page.source.split("/").length - 1),
      previous: pages[index - 1],
      next: pages[index + 1],
    });
  });

  eleventy.addGlobalData("groups", () => groups);
  eleventy.addFilter("target", (page) => outputOf(page.source));
  eleventy.addFilter("outline", (source) => outlines.get(source).headings);
  eleventy.addFilter("breakable", (text) => (text.includes(" ") ? escapeHtml(text) : breakable(escapeHtml(text))));
  eleventy.addFilter("title", (source) => outlines.get(source).title);
  eleventy.addFilter("summary", (source) => outlines.get(source).summary);

  eleventy.on("eleventy.before", () => rmSync(output, { recursive: true, force: true }));
  eleventy.on("eleventy.after", ({ results }) => {
    const copy = (from, to) => cpSync(join(root, from), join(output, to), { recursive: true });
    copy("docs/images", "docs/images");
    copy("docs/schemas", "docs/schemas");
    copy("docs/site/assets", "assets");
    writeFileSync(join(output, "assets/minisearch.js"), withLicence("minisearch", "dist/umd/index.js", "LICENSE.txt"));
    const sections = pages.filter((page) => !page.source.match(/^(LICENSE|THIRD-PARTY)/)).flatMap((page) => outlines.get(page.source).sections.map((section) => [outputOf(page.source) + section.anchor, page.label, section.title, section.text]));
    writeFileSync(join(output, "assets/search-data.js"), `window.searchSections = ${JSON.stringify(sections)};\n`);
    const broken = brokenLinks(output, results.map((result) => ({ path: relative(output, resolve(result.outputPath)), html: result.content })));
    if (broken.length > 0) throw new Error(`Links lead nowhere:\n${broken.join("\n")}`);
  });

  return {
    dir: { input: ".", layouts: "layouts", includes: "layouts", output: "../../artifacts/site" },
    templateFormats: ["md"],
    markdownTemplateEngine: false,
  };
}

// A library that is part of the site, below its licence.
function withLicence(library, script, licence) {
  const folder = dirname(dirname(dirname(createRequire(import.meta.url).resolve(library))));
  const text = (name) => readFileSync(join(folder, name), "utf8");
  return `/*! ${library}\n${text(licence)}*/\n${text(script).replace(/\/\/# sourceMappingURL=.*\n?/, "")}`;
}
