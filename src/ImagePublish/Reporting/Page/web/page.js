"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { $, make, size, signed, number, many, percent, copy, copyButton, commandBlock, fill, breakable, madeBy, textChanges, fileChanges, tabs } = page;
  const hues = [250, 150, 60, 330, 195, 25, 290, 105];
  const most = { cells: 120, inner: 40, rows: 200, found: 200 };
  let platform, root, here, hit;

  // ---- the tree: image, layers, packages or folders, files

  function node(name, parent, more) {
    return { name, parent, size: 0, files: 0, children: null, ...more };
  }

  function child(parent, name, more) {
    parent.children ??= new Map();
    let found = parent.children.get(name);
    if (!found) parent.children.set(name, (found = node(name, parent, { h: parent.h, c: parent.c, ...more })));
    return found;
  }

  function grow(leaf, bytes) {
    for (let at = leaf; at; at = at.parent) {
      at.size += bytes;
      at.files++;
    }
  }

  // A folder whose only content is a folder is one with it.
  function fold(at) {
    for (const [key, one] of at.children) {
      let last = one;
      let title = one.name;
      for (let only; last.folder && last.children.size === 1 && (only = last.children.values().next().value).folder; last = only) title += `/${only.name}`;
      if (last !== one) {
        last.name = title;
        last.parent = at;
        at.children.set(key, last);
      }

      if (last.children) fold(last);
    }
  }

  function plant(image) {
    const top = node("whole image", null, { c: 0.02, h: 250, children: new Map() });
    let own = 0;
    image.layers.forEach((layer, index) => {
      const color = layer.ofBase ? { c: 0.025, h: 250 } : { c: 0.075, h: hues[own++ % hues.length] };
      const branch = child(top, `${index}`, { ...color, layer });
      branch.name = label(layer);
      layer.paths.forEach((path, at) => {
        let parent = branch;
        const packageAt = layer.packages[at];
        if (packageAt >= 0) {
          const prefix = layer.packageNames[packageAt];
          parent = child(branch, `package ${prefix}`, { package: true });
          parent.name = prefix;
        } else {
          const parts = path.split("/");
          for (const part of parts.slice(0, -1)) parent = child(parent, `${part}/`, { folder: true, title: part });
        }
        const leaf = child(parent, packageAt >= 0 ? path : path.slice(path.lastIndexOf("/") + 1), { path });
        leaf.name = packageAt >= 0 ? path.slice(path.lastIndexOf("/") + 1) : leaf.name;
        grow(leaf, layer.sizes[at]);
      });
    });
    trim(top);
    fold(top);
    return top;
  }

  function trim(at) {
    if (at.title) at.name = at.title;
    if (at.children) for (const one of at.children.values()) trim(one);
  }

  function label(layer) {
    if (!layer.ofBase) return layer.name;
    return `base: ${madeBy(layer.name)}`;
  }

  const sorted = (at) => (at.sorted ??= at.children ? [...at.children.values()].sort((a, b) => b.size - a.size) : []);

  // Where there is only one way on, it is gone at once: a layer of one package shows the package's files.
  function deep(at) {
    while (at.children?.size === 1 && at.children.values().next().value.children) at = at.children.values().next().value;
    return at;
  }

  function above(at) {
    at = at.parent;
    while (at.parent && at.children.size === 1) at = at.parent;
    return at;
  }

  // ---- contents

  function go(target, mark) {
    here = mark ? target : deep(target);
    hit = mark;
    const leaves = $("path").contains(document.activeElement) || $("list").contains(document.activeElement);
    showPath();
    showMap();
    showList();
    if (leaves) $("path").querySelector("[aria-current]").focus();
  }

  function showPath() {
    const steps = [];
    for (let at = here; at; at = at.parent) steps.unshift(at);
    $("path").replaceChildren(...steps.map((at) => make("li", {}, at === here
      ? make("span", { "aria-current": "location", tabindex: "-1", text: at.name })
      : make("button", { type: "button", onclick: () => go(at), text: at.name }))).filter((step, index) => index === 0 || steps[index - 1].children.size > 1 || index === steps.length - 1));
  }

  function cut(at, limit) {
    const all = sorted(at).filter((one) => one.size > 0);
    if (all.length <= limit) return all.map((one) => ({ node: one, size: one.size }));
    const rest = all.slice(limit);
    return [...all.slice(0, limit).map((one) => ({ node: one, size: one.size })), { rest: rest.length, size: rest.reduce((sum, one) => sum + one.size, 0) }];
  }

  // A folder that is nearly all there is gives way to what it holds.
  function inside(at) {
    let parts = cut(deep(at), most.inner);
    for (let first; (first = parts[0])?.node?.children && parts.length < most.inner / 2 && first.size > at.size / 2; ) {
      parts = [...cut(deep(first.node), most.inner - parts.length), ...parts.slice(1)].sort((a, b) => b.size - a.size);
    }
    return parts;
  }

  function showMap() {
    const map = $("map");
    const [width, height] = [map.clientWidth, map.clientHeight];
    if (!width) return;
    const cells = cut(here, most.cells).map((cell) => ({ ...cell, children: cell.node?.children ? inside(cell.node) : undefined }));
    const tree = d3.hierarchy({ children: cells }).sum((cell) => (cell.children ? 0 : cell.size)).sort((a, b) => b.value - a.value);
    d3.treemap().size([width, height]).paddingInner(2).paddingTop((at) => (at.depth === 1 && at.children ? 21 : 0)).paddingRight((at) => (at.depth === 1 ? 2 : 0)).paddingBottom((at) => (at.depth === 1 ? 2 : 0)).paddingLeft((at) => (at.depth === 1 ? 2 : 0)).round(true)(tree);
    const focused = map.contains(document.activeElement);
    map.replaceChildren(...(tree.children || []).map((at, index) => cellOf(at, index)));
    if (focused) map.firstElementChild?.focus();
  }

  function cellOf(at, index) {
    const { node: target, rest } = at.data;
    const name = target ? target.name : `${many(rest, "smaller one")}`;
    // In fractions of its container: it fits when the window changes, and on paper.
    const box = (one, { x0, y0, x1, y1 }) => `left:${(100 * (one.x0 - x0)) / (x1 - x0)}%;top:${(100 * (one.y0 - y0)) / (y1 - y0)}%;width:${(100 * (one.x1 - one.x0)) / (x1 - x0)}%;height:${(100 * (one.y1 - one.y0)) / (y1 - y0)}%`;
    const shown = at.x1 - at.x0 > 30 && at.y1 - at.y0 > 16;
    const share = percent(at.value, here.size);
    const opens = Boolean(target?.children);
    const cell = make("button", {
      type: "button",
      class: "cell",
      style: `${box(at, at.parent)};--h:${(target ?? here).h};--c:${(target ?? here).c}`,
      "aria-disabled": opens ? null : "true",
      title: `${target?.path ?? name}: ${size(at.value)}, ${share}`,
      tabindex: index === 0 ? "0" : "-1",
      onclick: () => opens && go(target),
    });
    if (shown) cell.append(make("b", {}, `${name} `, make("small", { text: size(at.value) })));
    cell.append(make("span", { class: "heard", text: `${shown ? "" : `${name} ${size(at.value)}`}, ${share}` }));
    for (const one of at.children || []) {
      const [w, h] = [one.x1 - one.x0, one.y1 - one.y0];
      if (w < 2 || h < 2) continue;
      const inner = one.data.node ? one.data.node.name : `${one.data.rest} more`;
      cell.append(make("span", { class: "inner", "aria-hidden": "true", style: box(one, at), title: `${inner}: ${size(one.value)}`, text: w > 40 && h > 14 ? inner : "" }));
    }
    return cell;
  }

  $("map").addEventListener("keydown", (event) => {
    const cells = [...$("map").children];
    const at = cells.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step && at >= 0) {
      const next = cells[(at + step + cells.length) % cells.length];
      cells[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      event.preventDefault();
    } else if ((event.key === "Escape" || event.key === "Backspace") && here.parent) {
      go(above(here));
      event.preventDefault();
    }
  });

  function showList() {
    const body = $("list").tBodies[0];
    const all = sorted(here);
    $("list").caption.textContent = `${here.parent ? here.name : "All layers"}: ${size(here.size)} in ${many(here.files, "file")}`;
    $("extra").textContent = here.parent ? "Kind" : data.head.planned ? "Next publish" : "This publish";
    const rows = here.parent ? all : [...here.children.values()].reverse();
    const limit = hit ? Math.max(most.rows, rows.indexOf(hit) + 1) : most.rows;
    fill(body, rows, limit, rowOf);
    if (hit) body.querySelector(".hit")?.scrollIntoView({ block: "center" });
  }

  function rowOf(one) {
    const name = one.children
      ? make("button", { type: "button", class: "go", onclick: () => go(one) }, ...breakable(one.name))
      : make("span", { title: one.path }, ...breakable(one.name));
    return make("tr", { class: one === hit ? "hit" : null, style: `--h:${one.h};--c:${one.c}` },
      make("td", {}, make("span", { class: "named" }, make("span", { class: "swatch", "aria-hidden": "true" }), name)),
      make("td", { class: "number", text: size(one.size) }),
      make("td", { class: "share", title: percent(one.size, here.size) }, make("i", { style: `width:${here.size ? (100 * one.size) / here.size : 0}%` })),
      make("td", { class: "number wide", text: one.children ? number(one.files) : "" }),
      make("td", {}, one.layer ? fate(one.layer) : one.package ? "package" : one.children ? "folder" : "file"));
  }

  function fate(layer) {
    const local = !data.head.deliveries[0].registry;
    const words = data.head.planned
      ? { reused: "already there", mounted: "to mount", uploaded: local ? "to write" : "to upload", streamed: local ? "to fetch" : "to stream" }
      : { reused: "already there", mounted: "mounted", uploaded: local ? "written" : "uploaded", streamed: local ? "fetched" : "streamed" };
    const moved = ["uploaded", "streamed"].includes(layer.fate);
    return make("span", { class: "fate" }, make(moved ? "b" : "span", { text: words[layer.fate] }), " ", make("small", { text: `${size(layer.size)} compressed` }), layer.from ? make("small", { class: "from", text: `from ${layer.from}` }) : null);
  }

  // ---- search

  let leaves;
  let waiting;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 60);
  });

  function search() {
    const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    $("found").hidden = words.length === 0;
    if (!words.length) return;
    leaves ??= collect(root, []);
    const found = leaves.filter((leaf) => words.every((word) => leaf.lower.includes(word)));
    found.sort((a, b) => b.size - a.size);
    $("found-count").textContent = found.length ? `${many(found.length, "file")}, ${size(found.reduce((sum, leaf) => sum + leaf.size, 0))}${found.length > most.found ? `; the largest ${most.found} are shown` : ""}` : "No file has this in its name.";
    $("found-list").replaceChildren(...found.slice(0, most.found).map((leaf) => make("li", {},
      make("button", { type: "button", onclick: () => go(leaf.parent, leaf) }, make("span", { text: leaf.path }), make("span", { text: size(leaf.size) })))));
  }

  function collect(at, into) {
    if (at.children) for (const one of at.children.values()) collect(one, into);
    else if (at.path) {
      at.lower = at.path.toLowerCase();
      into.push(at);
    }
    return into;
  }

  // ---- changes

  function showChanges() {
    const { changes } = platform;
    const body = $("changes-body");
    if (!changes) {
      body.replaceChildren(make("p", { text: "There was no image under these tags before, so there is nothing to compare with." }));
      return;
    }

    if (changes.digest === platform.digest) {
      body.replaceChildren(make("p", { text: `Nothing: ${changes.name} was this very image before.` }));
      return;
    }

    const kinds = { added: changes.files.filter((file) => file.before === undefined), changed: changes.files.filter((file) => file.before !== undefined && file.after !== undefined), removed: changes.files.filter((file) => file.after === undefined) };
    body.replaceChildren(
      make("p", {}, "Compared with ", make("code", { text: `${changes.name}@${changes.digest}` })),
      make("p", {}, `${size(changes.size)} → ${size(platform.size)} (`, make("span", { class: platform.size > changes.size ? "minus" : "plus", text: signed(platform.size - changes.size) }), ` compressed), ${many(kinds.added.length, "file")} added, ${number(kinds.changed.length)} changed, ${number(kinds.removed.length)} removed.`),
      ...textChanges("Packages", changes.packages, "No package has another version."),
      ...textChanges("Config", changes.config, "The config says the same."),
      ...fileChanges(changes.files));
  }

  // ---- config and commands

  function showConfig() {
    const { config, base } = platform;
    const pairs = [
      ["Platform", platform.platform], ["Digest", platform.digest], ["Base", base.name ? `${base.name}${base.digest ? ` (${base.digest})` : ""}` : ""], ["Created", config.created],
      ["User", config.user], ["Working directory", config.workingDirectory], ["Entrypoint", config.entrypoint.join(" ")], ["Command", config.command.join(" ")],
      ["Ports", config.ports.join(", ")], ["Volumes", config.volumes.join(", ")], ["Stop signal", config.stopSignal], ["Health check", config.healthcheck.join(" ")],
      ...config.environment.map((text) => [`env ${text.split("=")[0]}`, text.slice(text.indexOf("=") + 1)]),
      ...Object.entries(config.labels).map(([name, value]) => [`label ${name}`, value]),
      ...(platform.attachments ?? []).map((attached) => [`attached ${attached.types.join(", ")}`, attached.digest]),
    ];
    $("config-body").replaceChildren(make("dl", { class: "pairs" }, ...pairs.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })])));
  }

  function showUse() {
    const dockerfile = platform.dockerfile && [make("h3", { text: "What a Dockerfile would say" }), commandBlock("To read, not to build from: the layers' files come from the build.", platform.dockerfile)];
    $("use-body").replaceChildren(
      make("h3", { text: data.head.planned ? "Commands, once it is published" : "Commands" }), ...data.head.commands.map((command) => commandBlock(command.title, command.text)),
      ...places(), ...(dockerfile ?? []));
  }

  // Where one image goes to several places, or several images to one: what each place took.
  function places() {
    if (data.head.deliveries.length < 2 && data.platforms.length < 2) return [];
    const table = make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Place" }), ...["Uploaded", "Mounted", "Already there"].map((text) => make("th", { scope: "col", class: "number", text })))), make("tbody"));
    table.tBodies[0].append(...data.head.deliveries.map((place) => make("tr", {},
      make("td", {}, make("code", { text: place.reference.split("@")[0] })),
      ...[place.uploadedBytes, place.mountedBytes, place.reusedBytes].map((bytes) => make("td", { class: "number", text: size(bytes) })))));
    return [make("h3", { text: data.platforms.length > 1 ? "What all platforms took together" : "What each place took" }), table];
  }

  // ---- the whole

  function showFacts() {
    const { uploaded, mounted, reused } = platform;
    const { planned, unchanged, seconds, deliveries } = data.head;
    const words = deliveries[0].registry ? ["Uploaded", "To upload"] : ["Written", "To write"];
    const saved = mounted + reused;
    const moves = planned?.filter((tag) => tag.before !== tag.after) ?? [];
    const facts = [
      ["Size", size(platform.size), `${size(root.size)} unpacked`],
      [words[planned ? 1 : 0], size(uploaded), unchanged ? `nothing ${planned ? "has" : "had"} changed` : `${percent(uploaded, uploaded + saved)} of the image`],
      [planned ? "Saves" : "Saved", size(saved), [mounted && `${size(mounted)} ${planned ? "to mount" : "mounted"}`, reused && `${size(reused)} already there`].filter(Boolean).join(", ") || "all of it is new"],
      ["Layers", number(platform.layers.length), platform.base.layers ? `${number(platform.base.layers)} of the base` : "none of a base"],
      ["Files", number(root.files), platform.platform],
      planned ? ["Tags", `${number(moves.length)} to move`, moves.map((tag) => tag.tag).join(", ") || "all point at it already"] : ["Time", `${seconds} s`, deliveries.length > 1 ? many(deliveries.length, "place") : "to build and deliver"],
    ];
    $("facts").replaceChildren(...facts.map(([name, value, more]) => make("div", {}, make("dt", { text: name }), make("dd", {}, value, make("small", { text: more })))));
  }

  function choose(index) {
    platform = data.platforms[index];
    leaves = undefined;
    root = plant(platform);
    showFacts();
    showChanges();
    showConfig();
    showUse();
    go(root);
    search();
  }

  tabs((tab) => tab.id === "tab-contents" && root && showMap());

  $("project").textContent = data.head.project;
  $("reference").textContent = data.head.reference;
  document.querySelector("[data-copy]").addEventListener("click", () => copy(data.head.reference));
  if (data.head.planned) $("tags").append(make("strong", { class: "chip plan", text: "A plan: nothing was published" }));
  $("tags").append(...data.head.deliveries.flatMap((place) => (place.tags.length ? place.tags : ["no tag"]).map((tag) => make("span", { class: "chip", text: data.head.deliveries.length > 1 ? `${place.repository}:${tag}` : tag }))));
  $("platform").append(...data.platforms.map((one, index) => make("option", { value: index, text: one.platform })));
  $("platform-choice").hidden = data.platforms.length < 2;
  $("platform").addEventListener("change", (event) => choose(Number(event.target.value)));
  choose(0);
  let resizing;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(showMap, 100);
  });
  document.documentElement.dataset.ready = Math.round(performance.now());
})();
