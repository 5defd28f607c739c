// What a page does beyond being read: theme, menu, copying, the outline, the search. Everything else works without it.
(() => {
  const { documentElement: html } = document;
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  all("header [hidden], .copy[hidden]").forEach((element) => (element.hidden = false));

  // The theme.
  const theme = find("#theme");
  const show = () => theme.setAttribute("aria-pressed", html.dataset.theme === "dark");
  show();
  theme.addEventListener("click", () => {
    html.dataset.theme = html.dataset.theme === "dark" ? "light" : "dark";
    show();
    try {
      localStorage.setItem("theme", html.dataset.theme);
    } catch {
      // Not remembered where the browser keeps nothing.
    }
  });

  // The menu of small windows.
  const menu = find("#menu");
  const open = (isOpen) => {
    menu.setAttribute("aria-expanded", isOpen);
    html.classList.toggle("menu-open", isOpen);
  };
  menu.addEventListener("click", () => open(menu.getAttribute("aria-expanded") !== "true"));
  find("#main").addEventListener("click", () => open(false));
  reveal(find("#nav [aria-current]"));

  // Scrolls a list so far that its link is seen, and nothing else.
  function reveal(link) {
    const box = link?.closest("#nav, #outline");
    if (box && (link.offsetTop < box.scrollTop || link.offsetTop > box.scrollTop + box.clientHeight - 60)) box.scrollTop = link.offsetTop - box.clientHeight / 2;
  }

  // Copying.
  all(".copy").forEach((button) =>
    button.addEventListener("click", async () => {
      await copy(button.closest(".code").querySelector("code").innerText.replace(/\n$/, ""));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    }),
  );

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // Boxes that scroll are reached by the keyboard.
  const label = { table: "Table", code: "Code", output: "Output" };
  const reach = () =>
    all(".table, .code pre, pre.output").forEach((box) => {
      const scrolls = box.scrollWidth > box.clientWidth;
      if (scrolls === box.hasAttribute("tabindex")) return;
      if (!scrolls) return ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", label[box.className] ?? label.code);
    });
  reach();
  addEventListener("resize", reach);

  // Where the reader is.
  const entries = new Map(all("#outline a").map((link) => [link.hash.slice(1), link]));
  const headings = all("article h2, article h3").filter((heading) => entries.has(heading.id));
  const mark = () => {
    const current = headings.findLast((heading) => heading.getBoundingClientRect().top < 120);
    entries.forEach((link, id) => link.classList.toggle("here", id === current?.id));
    reveal(entries.get(current?.id));
  };
  let waits = false;
  addEventListener("scroll", () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      mark();
    });
  }, { passive: true });
  mark();

  // The search: its text is a script, since a page that is opened from a file may read no other file.
  const dialog = find("#search");
  const input = dialog.querySelector("input");
  const hits = find("#hits");
  const hint = dialog.querySelector(".hint");
  let index;
  let chosen = -1;

  const load = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: `${html.dataset.root}assets/${name}.js`, onload: resolve, onerror: reject });
      document.head.append(script);
    });

  async function prepare() {
    await Promise.all([load("minisearch"), load("search-data")]);
    const words = /[^\p{L}\p{N}]+/u;
    // Names are found whole, and by their words: ImageCacheFrom by "cache".
    const parts = (name) => name.split(/(?<=\p{Ll})(?=\p{Lu})/u).map((part) => part.toLowerCase());
    const created = new window.MiniSearch({
      fields: ["title", "page", "text"],
      tokenize: (text) => text.split(words),
      processTerm: (term) => (/\p{Ll}\p{Lu}/u.test(term) ? [term.toLowerCase(), ...parts(term)] : term.toLowerCase()),
    });
    created.addAll(window.searchSections.map(([, page, title, text], id) => ({ id, page, title, text })));
    return created;
  }

  async function ask() {
    dialog.showModal();
    input.select();
    index ??= prepare();
    await index;
    answer();
  }

  async function answer() {
    const query = input.value.trim();
    const options = { prefix: (term) => term.length > 1, fuzzy: (term) => (term.length > 4 && !/\d/.test(term) ? 0.2 : false), boost: { title: 6, page: 3 }, processTerm: (term) => term.toLowerCase() };
    const sections = await index;
    // What has all words; else what has one of them.
    const whole = sections.search(query, { ...options, combineWith: "AND" });
    const found = (whole.length > 0 ? whole : sections.search(query, options)).slice(0, 20);
    hits.replaceChildren(...found.map((hit, number) => entry(hit, number)));
    hint.textContent = query && found.length === 0 ? "Nothing found." : "";
    input.setAttribute("aria-expanded", found.length > 0);
    choose(found.length > 0 ? 0 : -1);
  }

  function entry(hit, number) {
    const [url, page, title, text] = window.searchSections[hit.id];
    const item = Object.assign(document.createElement("li"), { id: `hit-${number}` });
    item.setAttribute("role", "option");
    const link = Object.assign(document.createElement("a"), { href: html.dataset.root + url, tabIndex: -1 });
    const place = Object.assign(document.createElement("small"), { textContent: page });
    const name = document.createElement("b");
    const excerpt = document.createElement("span");
    const matches = new RegExp(`(${hit.terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
    name.append(...marked(title, matches));
    excerpt.append(...marked(around(text, matches), matches));
    link.append(place, name, excerpt);
    item.append(link);
    link.addEventListener("click", () => dialog.close());
    return item;
  }

  function around(text, matches) {
    const at = Math.max(0, text.search(matches));
    const start = at < 60 ? 0 : text.indexOf(" ", at - 60) + 1;
    const end = text.length > start + 180 ? text.lastIndexOf(" ", start + 180) : text.length;
    return (start > 0 ? "… " : "") + text.slice(start, end) + (end < text.length ? " …" : "");
  }

  const marked = (text, matches) =>
    text.split(matches).map((part, number) => (number % 2 ? Object.assign(document.createElement("mark"), { textContent: part }) : part));

  function choose(number) {
    hits.children[chosen]?.removeAttribute("aria-selected");
    chosen = number;
    const item = hits.children[chosen];
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
  }

  find("#find").addEventListener("click", ask);
  input.addEventListener("input", answer);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  input.addEventListener("keydown", (event) => {
    const count = hits.children.length;
    if (event.key === "Enter") hits.children[chosen]?.querySelector("a").click();
    else if (event.key === "ArrowDown" && count) choose((chosen + 1) % count);
    else if (event.key === "ArrowUp" && count) choose((chosen + count - 1) % count);
    else return;
    event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    const types = event.target.closest("input, textarea, [contenteditable]");
    const asks = (event.key === "/" && !types) || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey));
    if (asks && !dialog.open) {
      event.preventDefault();
      ask();
    } else if (event.key === "Escape") open(false);
  });
  html.dataset.ready = "";
})();
