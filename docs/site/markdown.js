// Markdown as GitHub shows it: the same anchors, code highlighted here, tables in a box of their own, links to the site's pages.
import { posix } from "node:path";
import GithubSlugger from "github-slugger";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import csharp from "highlight.js/lib/languages/csharp";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import groovy from "highlight.js/lib/languages/groovy";
import json from "highlight.js/lib/languages/json";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import MarkdownIt from "markdown-it";
import { outputOf } from "./pages.js";

Object.entries({ bash, csharp, dockerfile, groovy, json, xml, yaml }).forEach(([name, language]) => hljs.registerLanguage(name, language));
const names = { bash: "Shell", shell: "Shell", csharp: "C#", dockerfile: "Dockerfile", groovy: "Groovy", json: "JSON", xml: "XML", yaml: "YAML" };

// outlines gets what each page is made of: its title, a summary, its headings, and its sections for the search.
export function createMarkdown(outlines) {
  const md = new MarkdownIt({ html: true });
  md.core.ruler.push("page", (state) => {
    addAnchors(state.tokens);
    outlines.set(state.env.source, outlineOf(state.tokens));
  });
  const { escapeHtml } = md.utils;

  md.renderer.rules.fence = (tokens, index) => {
    const { content, info } = tokens[index];
    const language = info.trim();
    if (!names[language]) return `<pre class="output"><code>${escapeHtml(content)}</code></pre>\n`;
    const { value } = hljs.highlight(content, { language: language === "shell" ? "bash" : language });
    return `<div class="code ${language}"><div class="code-head"><span>${names[language]}</span><button type="button" class="copy" hidden>Copy</button></div><pre><code>${value}</code></pre></div>\n`;
  };

  // Lines break between the words of a command, not within -p:Name; a name alone breaks where a word of it begins.
  md.renderer.rules.code_inline = (tokens, index) => {
    const words = tokens[index].content.split(" ").map(escapeHtml);
    if (words.length === 1 && !words[0].includes("-")) return `<code>${breakable(words[0])}</code>`;
    return `<code>${words.map((word) => (word.includes("-") && word.length < 34 ? `<span>${word}</span>` : word)).join(" ")}</code>`;
  };

  // Inline styles are not allowed on the pages.
  for (const cell of ["th_open", "td_open"])
    md.renderer.rules[cell] = (tokens, index, options, env, self) => {
      const align = /text-align:(\w+)/.exec(tokens[index].attrGet("style") ?? "")?.[1];
      tokens[index].attrs = align ? [["class", align]] : null;
      // A head without words is none.
      if (cell === "th_open" && !tokens[index + 1].content) tokens[index].tag = tokens[index + 2].tag = "td";
      return self.renderToken(tokens, index, options);
    };
  md.renderer.rules.table_open = () => '<div class="table"><table>\n';
  md.renderer.rules.table_close = () => "</table></div>\n";

  md.renderer.rules.heading_open = (tokens, index) => {
    const { tag, meta } = tokens[index];
    const others = meta.others.map((id) => `<span id="${id}"></span>`).join("");
    return `<${tag} id="${meta.id}">${others}`;
  };
  md.renderer.rules.heading_close = (tokens, index) => {
    const { id } = tokens[index - 2].meta;
    return ` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a></${tokens[index].tag}>\n`;
  };

  md.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const token = tokens[index];
    token.attrSet("href", hrefOf(token.attrGet("href"), env.source));
    if (/^https?:/.test(token.attrGet("href"))) token.attrSet("rel", "noopener");
    return self.renderToken(tokens, index, options);
  };
  return md;
}

// A name with places where it may break: Image|Cache|From.
export const breakable = (name) => name.replace(/(?<=\p{Ll})(?=\p{Lu})/gu, "<wbr>");

// From a link between files of the repository to one between files of the site.
function hrefOf(href, source) {
  if (/^[a-z]+:|^#/i.test(href)) return href;
  const [path, anchor] = href.split("#");
  const target = outputOf(posix.join(posix.dirname(source), decodeURI(path)));
  return posix.relative(posix.dirname(source), target) + (anchor ? `#${anchor}` : "");
}

// An anchor that the page sets itself is the heading's below it; GitHub's is there too.
function addAnchors(tokens) {
  const slugger = new GithubSlugger();
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token.type !== "heading_open") continue;
    const slug = slugger.slug(textOf(tokens[index + 1]));
    const own = /^<a id="([^"]+)"><\/a>$/.exec(tokens[index - 2]?.content ?? "")?.[1];
    token.meta = { id: own ?? slug, others: own && own !== slug ? [slug] : [] };
    if (own) {
      tokens.splice(index - 3, 3);
      index -= 3;
    }
  }
}

function outlineOf(tokens) {
  const headings = [];
  const sections = [];
  let summary = "";
  tokens.forEach((token, index) => {
    if (token.type === "heading_open" && token.tag <= "h3") {
      const heading = { level: Number(token.tag[1]), id: token.meta.id, text: textOf(tokens[index + 1]) };
      headings.push(heading);
      sections.push({ anchor: heading.level === 1 ? "" : `#${heading.id}`, title: heading.text, text: "" });
    } else if (token.type === "inline" && tokens[index - 1].type !== "heading_open") {
      const text = textOf(token);
      summary ||= text;
      addText(sections, text);
    } else if (token.type === "fence") addText(sections, token.content);
  });
  return { title: headings[0].text, summary, headings: headings.slice(1), sections };
}

function addText(sections, text) {
  const words = text.replace(/\s+/g, " ").trim();
  if (sections.length > 0 && words) sections.at(-1).text += `${words} `;
}

function textOf(inline) {
  return inline.children.map((child) => (child.type === "text" || child.type === "code_inline" ? child.content : child.type === "softbreak" ? " " : "")).join("");
}
