"use strict";
// What the pages of images and of repositories share.
const page = (() => {
  const $ = (id) => document.getElementById(id);
  const mostRows = 200;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "text") element.textContent = value;
      // As an attribute, a style is against the page's policy.
      else if (name === "style") element.style.cssText = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function size(bytes) {
    const amount = Math.abs(bytes);
    if (amount < 1e3) return `${bytes} B`;
    if (amount < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
    if (amount < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
    return `${(bytes / 1e9).toFixed(2)} GB`;
  }

  const signed = (bytes) => (bytes > 0 ? "+" : bytes < 0 ? "−" : "±") + size(Math.abs(bytes));
  const number = (count) => count.toLocaleString("en-US");
  const many = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
  const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %` : "");

  function say(text) {
    const status = $("status");
    status.textContent = text;
    status.classList.add("on");
    setTimeout(() => status.classList.remove("on"), 1600);
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { style: "position:fixed;opacity:0" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say("Copied");
  }

  const copyButton = (text) => make("button", { type: "button", class: "copy", onclick: () => copy(text), text: "Copy" });

  const commandBlock = (title, text) => make("div", { class: "command" }, make("p", {}, make("span", { text: title }), copyButton(text)), make("pre", { tabindex: "0" }, make("code", { text })));

  // What a history says that a layer was made by, for one line.
  function madeBy(text) {
    const short = text.replace(/^\/bin\/sh -c (#\(nop\) *)?/, "").replace(/\s+/g, " ").replace(/ # buildkit$/, "");
    return short.length > 60 ? `${short.slice(0, 57)}…` : short;
  }

  // Long names break where their parts end.
  const breakable = (name) => name.split(/(?<=[./_-])/).flatMap((part) => [part, make("wbr")]).slice(0, -1);

  // Long tables show their first rows, and the others when asked to.
  function fill(body, rows, limit, row) {
    body.replaceChildren(...rows.slice(0, limit).map(row));
    if (rows.length <= limit) return;
    const columns = body.rows[0].cells.length;
    const more = make("button", { type: "button", text: `Show all ${number(rows.length)}`, onclick: () => {
      fill(body, rows, rows.length, row);
      body.rows[limit].tabIndex = -1;
      body.rows[limit].focus();
    } });
    body.append(make("tr", { class: "more" }, make("td", { colspan: columns }, more)));
  }

  // ---- what differs

  function textChanges(title, list, none) {
    if (!list.length) return [make("h3", { text: title }), make("p", { text: none })];
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...["Name", "Before", "Now"].map((text) => make("th", { scope: "col", text })))), make("tbody"));
    fill(table.tBodies[0], list, mostRows, (one) => make("tr", {}, make("td", { text: one.name }), make("td", { class: "minus", text: one.before ?? "" }), make("td", { class: "plus", text: one.after ?? "" })));
    return [make("h3", { text: `${title} (${number(list.length)})` }), table];
  }

  function fileChanges(list) {
    if (!list.length) return [make("h3", { text: "Files" }), make("p", { text: "No file differs." })];
    const table = make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "File" }), make("th", { scope: "col", text: "Change" }), make("th", { scope: "col", class: "number", text: "Size" }), make("th", { scope: "col", class: "number", text: "Difference" }))), make("tbody"));
    const byWeight = [...list].sort((a, b) => Math.abs((b.after ?? 0) - (b.before ?? 0)) - Math.abs((a.after ?? 0) - (a.before ?? 0)));
    fill(table.tBodies[0], byWeight, mostRows, (file) => {
      const kind = file.before === undefined ? "added" : file.after === undefined ? "removed" : "changed";
      return make("tr", {},
        make("td", { text: file.path }),
        make("td", { class: kind === "added" ? "plus kind" : kind === "removed" ? "minus kind" : "kind", text: kind }),
        make("td", { class: "number", text: file.after === undefined ? "" : size(file.after) }),
        make("td", { class: "number", text: file.after === file.before ? "same size" : signed((file.after ?? 0) - (file.before ?? 0)) }));
    });
    return [make("h3", { text: `Files (${number(list.length)})` }), table];
  }

  // ---- tabs and theme

  // Tabs by mouse and arrow keys. Returns how a tab is opened by its id.
  function tabs(opened) {
    const all = [...document.querySelectorAll("[role=tab]")];
    function open(tab, focus) {
      for (const one of all) {
        const selected = one === tab;
        one.setAttribute("aria-selected", selected);
        one.tabIndex = selected ? 0 : -1;
        $(one.getAttribute("aria-controls")).hidden = !selected;
      }
      if (focus) tab.focus();
      opened(tab);
    }

    for (const tab of all) {
      tab.addEventListener("click", () => open(tab));
      tab.addEventListener("keydown", (event) => {
        const at = all.indexOf(tab);
        const next = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
        if (next === undefined) return;
        open(all[next % all.length], true);
        event.preventDefault();
      });
    }

    return (id, focus) => open($(id), focus);
  }

  $("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });

  return { $, make, size, signed, number, many, percent, say, copy, copyButton, commandBlock, madeBy, breakable, fill, textChanges, fileChanges, tabs };
})();
