"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { $, make, size, number, many, percent, copyButton, commandBlock, fill, breakable, madeBy, textChanges, fileChanges, tabs } = page;
  const { head, strings, layers } = data;
  const most = { rows: 50, tags: 6, matrix: 12, layers: 200, notes: 100 };
  const shortDigest = (digest) => digest.slice(0, 19);
  const date = (text) => (text ? text.slice(0, 10) : "");

  // ---- images

  const images = data.images.map((image, at) => ({
    ...image,
    at,
    title: image.tags[0],
    platforms: image.platforms.map((one) => ({ ...one, name: strings[one.platform], settings: settingsOf(one.settings) })),
  }));
  const byTag = new Map(images.flatMap((image) => image.tags.map((tag) => [tag, image])));
  const real = images.filter((image) => image.platforms.length);

  function settingsOf(list) {
    const settings = new Map();
    for (let at = 0; at < list.length; at += 2) settings.set(strings[list[at]], strings[list[at + 1]]);
    return settings;
  }

  // What a registry stores for platforms: each layer and config once, with its size.
  function blobsOf(platforms) {
    const blobs = new Map();
    for (const platform of platforms) {
      for (const layer of platform.layers) blobs.set(layer, layers.sizes[layer]);
      blobs.set(platform.configDigest, platform.config);
    }
    return blobs;
  }

  const sum = (sizes) => [...sizes].reduce((all, one) => all + one, 0);
  const wholeOf = (image) => (image.blobs ??= blobsOf(image.platforms));

  function newBytes(blobs, known) {
    let bytes = 0;
    for (const [blob, length] of blobs) if (!known.has(blob)) bytes += length;
    return bytes;
  }

  // Images are in the order of time, the newest first; what is no image is not compared.
  real.forEach((image, at) => {
    image.before = real[at + 1];
    image.added = newBytes(wholeOf(image), image.before ? wholeOf(image.before) : new Map());
  });

  const signsOf = (image) => [...new Set([...(image.attached ?? []).flatMap((one) => one.names), ...image.signs.map((one) => strings[one])])];
  const isSigned = (image) => signsOf(image).some((sign) => sign.startsWith("signature"));

  // ---- svg

  function draw(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") element.textContent = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter(Boolean));
    return element;
  }

  // ---- versions over time

  const dated = real.filter((image) => image.created);
  const hasTime = dated.length > 1 && dated.length >= real.length / 2 && dated[0].created !== dated.at(-1).created;
  const shown = (hasTime ? dated : real).slice().reverse();
  let picked = shown.length - 1;
  let points = [];

  function showChart() {
    const chart = $("chart");
    const width = chart.clientWidth;
    if (!width || !shown.length) return;
    const [height, left, right, top, bottom] = [230, 66, 14, 14, 26];
    const times = shown.map((image) => Date.parse(image.created));
    const [first, last] = [times[0], times.at(-1)];
    const x = (at) => left + (width - left - right) * (hasTime ? (times[at] - first) / (last - first) : shown.length > 1 ? at / (shown.length - 1) : 0.5);
    const highest = Math.max(...shown.map((image) => image.size), 1);
    const y = (bytes) => top + (height - top - bottom) * (1 - bytes / highest);
    // What is new is seen, however little it is.
    points = shown.map((image, at) => [x(at), y(image.size), Math.min(y(image.added), y(0) - (image.added ? 2 : 0))]);
    const dot = shown.length > 400 ? 4 : shown.length > 100 ? 6 : 9;
    const bar = Math.max(1, Math.min(8, (0.5 * (width - left - right)) / shown.length));
    const round = (value) => value.toFixed(1);
    const lines = [0, 0.5, 1].map((share) => share * highest);
    chart.replaceChildren(draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      ...lines.flatMap((bytes) => [
        draw("line", { class: "grid", x1: left, x2: width - right, y1: y(bytes), y2: y(bytes) }),
        draw("text", { x: left - 6, y: y(bytes) + 4, "text-anchor": "end", text: size(Math.round(bytes)) }),
      ]),
      draw("path", { class: "bars", "stroke-width": bar, d: points.map(([px, , py]) => `M${round(px)} ${y(0)}V${round(py)}`).join("") }),
      draw("path", { class: "dots", "stroke-width": dot, d: points.map(([px, py]) => `M${round(px)} ${round(py)}h0`).join("") }),
      ...ends(width, height, left, right),
      draw("g", { class: "mark", id: "mark" })));
    pick(picked);
  }

  function ends(width, height, left, right) {
    const labels = hasTime
      ? [date(shown[0].created), date(shown.at(-1).created)]
      : shown.length > 1 ? ["first", "last"] : [""];
    return labels.map((text, at) => draw("text", { x: at ? width - right : left, y: height - 8, "text-anchor": at ? "end" : "start", text }));
  }

  function pick(at) {
    picked = Math.max(0, Math.min(shown.length - 1, at));
    const image = shown[picked];
    if (!image) return;
    const chart = $("chart");
    chart.setAttribute("aria-valuemax", shown.length - 1);
    chart.setAttribute("aria-valuenow", picked);
    chart.setAttribute("aria-valuetext", `${image.title}${image.created ? `, ${date(image.created)}` : ""}: ${size(image.size)}, ${size(image.added)} of it new`);
    if (points.length) {
      const [px, py] = points[picked];
      $("mark").replaceChildren(draw("line", { x1: px, x2: px, y1: 8, y2: 204, "stroke-dasharray": "2 3" }), draw("circle", { cx: px, cy: py, r: 7 }));
    }
    $("picked").replaceChildren(
      make("strong", { text: image.title }),
      make("span", { text: [date(image.created), size(image.size), image.before ? `${size(image.added)} of it new` : ""].filter(Boolean).join(" · ") }),
      make("button", { type: "button", class: "small", text: "Open", onclick: () => openImage(image) }),
      image.before ? make("button", { type: "button", class: "small", text: `Compare with ${image.before.title}`, onclick: () => openCompare(image.before, image) }) : null);
  }

  $("chart").addEventListener("click", (event) => {
    const px = event.clientX - $("chart").getBoundingClientRect().left;
    let best = 0;
    points.forEach(([one], at) => {
      if (Math.abs(one - px) < Math.abs(points[best][0] - px)) best = at;
    });
    pick(best);
  });
  $("chart").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -shown.length, End: shown.length }[event.key];
    if (step) pick(picked + step);
    else if (event.key === "Enter" && shown.length) openImage(shown[picked]);
    else return;
    event.preventDefault();
  });

  // ---- the list

  let found = images;
  let start = 0;

  // What is searched for is made when somebody searches.
  const searched = (image) => (image.searched ??= [...image.tags, image.digest, date(image.created), ...image.platforms.flatMap((one) => [one.name, one.base ? strings[one.base.name] : ""]), ...signsOf(image), image.drift?.state ?? ""].join(" ").toLowerCase());

  function search() {
    const words = $("filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    found = words.length ? images.filter((image) => words.every((word) => searched(image).includes(word))) : images;
    start = 0;
    showList();
  }

  function showList() {
    const rows = found.slice(start, start + most.rows);
    $("list").tBodies[0].replaceChildren(...rows.map(rowOf));
    $("range").textContent = found.length ? `${number(start + 1)} to ${number(start + rows.length)} of ${many(found.length, "image")}` : "No image has this.";
    $("newer").disabled = start === 0;
    $("older").disabled = start + most.rows >= found.length;
  }

  function tagsOf(image) {
    const rest = image.tags.length - most.tags;
    return make("span", { class: "tags" },
      make("button", { type: "button", class: "go", onclick: () => openImage(image) }, ...breakable(image.title)),
      ...image.tags.slice(1, most.tags).map((tag) => make("span", { class: "chip", text: tag })),
      rest > 0 ? make("span", { class: "chip", text: `${number(rest)} more` }) : null,
      driftChip(image.drift?.state));
  }

  // With the tags rather than what is attached, which phones have no room for.
  const driftChip = (state) => (state === "behind" ? make("span", { class: "chip warn", text: "base is outdated" }) : state === "unknown" ? make("span", { class: "chip", text: "base unknown" }) : null);

  function rowOf(image) {
    return make("tr", {},
      make("td", {}, tagsOf(image)),
      make("td", { class: "wide", text: date(image.created) || "not said" }),
      make("td", { class: "number", text: size(image.size) }),
      make("td", { class: "number", text: image.platforms.length ? (image.before ? size(image.added) : "all") : "" }),
      make("td", { class: "wide", text: image.platforms.length ? image.platforms.map((one) => one.name).join(", ") : strings[image.artifact] }),
      make("td", { class: "wide" }, make("span", { class: "signs" }, ...signsOf(image).map((text) => make("span", { class: "chip", text })))),
      make("td", {}, image.before ? make("button", { type: "button", class: "small", "aria-label": `Compare ${image.title} with ${image.before.title}, the one before`, text: "Compare", onclick: () => openCompare(image.before, image) }) : null));
  }

  let waiting;
  $("filter").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 60);
  });
  for (const [id, step] of [["newer", -most.rows], ["older", most.rows]]) {
    $(id).addEventListener("click", () => {
      start += step;
      showList();
    });
  }

  // ---- compare

  let from = real[1] ?? real[0];
  let to = real[0];
  const all = "all platforms";

  function showCompare(platform) {
    if (!to) return $("compare-body").replaceChildren(make("p", { text: "There is no image to compare." }));
    $("from").value = from.title;
    $("to").value = to.title;
    const both = to.platforms.map((one) => one.name).filter((name) => from.platforms.some((one) => one.name === name));
    const choices = both.length === 1 && from.platforms.length === 1 && to.platforms.length === 1 ? both : [...both, all];
    const chosen = choices.includes(platform) ? platform : choices[0];
    $("compare-platform").replaceChildren(...choices.map((text) => make("option", { text, selected: text === chosen })));
    const [old, now] = [from, to].map((image) => (chosen === all ? image.platforms : image.platforms.filter((one) => one.name === chosen)));
    $("compare-body").replaceChildren(...comparison(old, now));
  }

  function comparison(old, now) {
    const [had, has] = [blobsOf(old), blobsOf(now)];
    const [total, added] = [sum(has.values()), newBytes(has, had)];
    const own = distinct(now.flatMap((one) => one.layers));
    const before = distinct(old.flatMap((one) => one.layers));
    const fresh = own.filter((layer) => !had.has(layer));
    const text = from === to ? `${to.title} is compared with itself.`
      : added === 0 ? `Nothing of ${to.title} is uploaded to a registry that has ${from.title}.`
      : `${size(added)} of ${to.title}'s ${size(total)} (${percent(added, total)}) are uploaded to a registry that has ${from.title}: ${many(fresh.length, "layer")} of ${number(own.length)}${[...has.keys()].some((blob) => typeof blob === "string" && !had.has(blob)) ? ", and the config" : ""}.`;
    const parts = [
      make("p", { class: "lead", role: "status", text }),
      picture(before, own, text),
      make("p", { class: "legend" }, ...[["same", "in both"], ["new", `only in ${to.title}: is uploaded`], ["gone", `only in ${from.title}`]].map(([kind, words]) => make("span", { class: `key ${kind}`, text: words }))),
      layerTable(before, own),
    ];
    const one = old.length === 1 && now.length === 1;
    if (one) parts.push(...textChanges("Settings", settingChanges(old[0].settings, now[0].settings), "The config says the same."));
    parts.push(...(one ? fileParts(old[0], now[0]) : fileParts()));
    return parts;
  }

  const distinct = (list) => [...new Set(list)];
  const nameOf = (layer) => madeBy(strings[layers.names[layer]]) || shortDigest(layers.digests[layer]);

  // Two bars: from above, to below, and what both have drawn together.
  function picture(before, own, text) {
    const holder = make("div", { class: "picture" });
    const paint = () => {
      const width = holder.clientWidth || 900;
      const [bar, gap, label] = [38, 46, 18];
      const count = Math.max(before.length, own.length, 1);
      const least = Math.min(3, (width * 0.4) / count);
      const scale = (width - count * least - 2) / Math.max(sum(before.map((one) => layers.sizes[one])), sum(own.map((one) => layers.sizes[one])), 1);
      const place = (list) => {
        let x = 1;
        return new Map(list.map((layer) => {
          const box = [x, least + layers.sizes[layer] * scale];
          x += box[1];
          return [layer, box];
        }));
      };
      const [above, below] = [place(before), place(own)];
      const segment = (layer, [x, w], y, kind) => [
        draw("rect", { class: kind, x, y, width: Math.max(w - 1, 0.5), height: bar, rx: 3 }, draw("title", { text: `${nameOf(layer)}: ${size(layers.sizes[layer])}` })),
        w > 56 ? draw("text", { class: "inside", x: x + 5, y: y + 16, text: clip(nameOf(layer), w) }) : null,
        w > 56 ? draw("text", { class: "inside", x: x + 5, y: y + 31, text: size(layers.sizes[layer]) }) : null,
      ];
      const [y1, y2] = [label, label + bar + gap];
      holder.replaceChildren(draw("svg", { viewBox: `0 0 ${width} ${y2 + bar + label + 4}`, role: "img", "aria-label": text },
        draw("text", { x: 1, y: 12, text: from.title }),
        ...own.filter((layer) => above.has(layer)).map((layer) => {
          const [[x, w], [u, v]] = [above.get(layer), below.get(layer)];
          return draw("path", { class: "ribbon", d: `M${x} ${y1 + bar}h${Math.max(w - 1, 0.5)}L${u + Math.max(v - 1, 0.5)} ${y2}H${u}z` });
        }),
        ...before.flatMap((layer) => segment(layer, above.get(layer), y1, below.has(layer) ? "same" : "gone")),
        ...own.flatMap((layer) => segment(layer, below.get(layer), y2, above.has(layer) ? "same" : "new")),
        draw("text", { x: 1, y: y2 + bar + 15, text: to.title })));
    };
    holder.paint = paint;
    requestAnimationFrame(paint);
    return holder;
  }

  function clip(text, width) {
    const most = Math.floor((width - 10) / 7);
    return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
  }

  function layerTable(before, own) {
    const rows = [
      ...own.slice().reverse().map((layer) => [layer, before.includes(layer) ? "same" : "new"]),
      ...before.filter((layer) => !own.includes(layer)).reverse().map((layer) => [layer, "gone"]),
    ];
    const words = { same: "in both", new: "uploaded", gone: `not in ${to.title}` };
    const table = make("table", {}, make("caption", { text: "Layers, the topmost first" }), make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Layer" }), make("th", { scope: "col", class: "number", text: "Size" }), make("th", { scope: "col", text: "State" }), make("th", { scope: "col", class: "wide", text: "Digest" }))), make("tbody"));
    if (rows.length) fill(table.tBodies[0], rows, most.layers, ([layer, state]) => make("tr", {},
      make("td", { title: strings[layers.names[layer]] }, ...breakable(nameOf(layer))),
      make("td", { class: "number", text: size(layers.sizes[layer]) }),
      make("td", {}, make("span", { class: `state ${state}`, text: words[state] })),
      make("td", { class: "wide" }, make("code", { title: layers.digests[layer], text: shortDigest(layers.digests[layer]) }))));
    return table;
  }

  function settingChanges(old, now) {
    return [...new Set([...old.keys(), ...now.keys()])].sort().map((name) => ({ name, before: old.get(name), after: now.get(name) })).filter((one) => one.before !== one.after);
  }

  // ---- files, where they were read

  const filesOfLayer = new Map((data.files?.layers ?? []).map((one) => [one.layer, one]));
  const hidden = new Map((data.files?.images ?? []).map((one) => [one.digest, one.hidden]));

  function filesOf(platform) {
    const files = new Map();
    platform.layers.forEach((layer, at) => {
      const { paths, sizes, contents } = filesOfLayer.get(layer);
      const without = new Set(hidden.get(platform.digest)[at]);
      paths.forEach((path, index) => without.has(index) || files.set(data.files.paths[path], [sizes[index], contents[index]]));
    });
    return files;
  }

  const bound = data.files && (data.files.newest === 1 ? "the newest image" : `the newest ${number(data.files.newest)} images`);
  const unread = data.files
    ? `The files of these two were not read: the page has those of ${bound}, for each platform. -p:ImagePageFiles says of how many, ${number(data.files.most)} at most.`
    : "No layer was read for this page. Make it with -p:ImagePageFiles=5 to compare the newest five images down to files.";

  function fileParts(old, now) {
    if (!old || !now) return [make("h3", { text: "Files" }), make("p", { text: data.files ? "Choose a platform to see which files differ." : unread })];
    if (![old, now].every((one) => hidden.has(one.digest))) return [make("h3", { text: "Files" }), make("p", { text: unread })];
    const [before, after] = [filesOf(old), filesOf(now)];
    const changes = [];
    for (const [path, [length, content]] of after) {
      const was = before.get(path);
      if (!was || was[1] !== content) changes.push({ path, before: was?.[0], after: length });
      before.delete(path);
    }
    for (const [path, [length]] of before) changes.push({ path, before: length });
    return fileChanges(changes);
  }

  function openCompare(one, other) {
    [from, to] = [one, other];
    showCompare();
    open("tab-compare", true);
  }

  // A tag that is typed counts once it is one.
  function choose(id, then) {
    const input = $(id);
    const read = () => {
      const image = byTag.get(input.value.trim());
      const known = Boolean(image?.platforms.length || (image && id === "tag"));
      input.setAttribute("aria-invalid", !known);
      if (known) then(image);
    };
    input.addEventListener("change", read);
    input.addEventListener("input", () => byTag.has(input.value.trim()) && read());
    input.addEventListener("focus", () => input.select());
  }

  choose("from", (image) => {
    from = image;
    showCompare($("compare-platform").value);
  });
  choose("to", (image) => {
    to = image;
    showCompare($("compare-platform").value);
  });
  $("compare-platform").addEventListener("change", (event) => showCompare(event.target.value));
  $("swap").addEventListener("click", () => {
    [from, to] = [to, from];
    showCompare($("compare-platform").value);
  });

  // ---- what each pair shares

  function showShared() {
    const newest = real.slice(0, most.matrix);
    $("shared-text").textContent = newest.length > 1
      ? `What is uploaded of the image above to a registry that has the one on the left${real.length > newest.length ? `; the newest ${newest.length}` : ""}. The rest of it is shared.`
      : "There is only one image, so nothing is shared.";
    if (newest.length < 2) return;
    $("matrix").replaceChildren(
      make("thead", {}, make("tr", {}, make("td"), ...newest.map((image) => make("th", { scope: "col", text: image.title })))),
      make("tbody", {}, ...newest.map((old, row) => make("tr", {}, make("th", { scope: "row", text: old.title }), ...newest.map((image, column) => cellOf(old, image, row + column === 1 && row === 0))))));
  }

  function cellOf(old, image, first) {
    if (old === image) return make("td", { text: "–" });
    const blobs = wholeOf(image);
    const added = newBytes(blobs, wholeOf(old));
    const whole = sum(blobs.values());
    return make("td", {}, make("button", {
      type: "button",
      tabindex: first ? "0" : "-1",
      style: `--share:${whole ? Math.round((100 * added) / whole) : 0}%`,
      title: `${size(added)} of ${image.title} (${size(whole)}) are not in ${old.title}`,
      onclick: () => openCompare(old, image),
    }, size(added), make("span", { class: "heard", text: ` of ${image.title} for who has ${old.title}` })));
  }

  $("matrix").addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell) return;
    const rows = [...$("matrix").tBodies[0].rows];
    let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
    let next;
    do {
      [row, column] = [row + step[0], column + step[1]];
      next = column > 0 ? rows[row]?.cells[column] : undefined;
    } while (next && !next.firstElementChild);
    event.preventDefault();
    if (!next) return;
    event.target.tabIndex = -1;
    next.firstElementChild.tabIndex = 0;
    next.firstElementChild.focus();
  });

  // ---- one image

  let image = images[0];

  function showImage(platform) {
    $("tag").value = image.title;
    $("tag").setAttribute("aria-invalid", "false");
    const names = image.platforms.map((one) => one.name);
    $("platform-choice").hidden = names.length < 2;
    $("platform").replaceChildren(...names.map((text) => make("option", { text, selected: text === platform })));
    const one = image.platforms.find((some) => some.name === platform) ?? image.platforms[0];
    const digest = `${head.name}@${image.digest}`;
    $("image-body").replaceChildren(
      make("div", { class: "image-title" }, make("h2", { text: `${head.name}:${image.title}` }), ...image.tags.slice(1, 20).map((tag) => make("span", { class: "chip", text: tag })), image.tags.length > 20 ? make("span", { class: "chip", text: `${number(image.tags.length - 20)} more` }) : null),
      make("p", { class: "reference" }, make("code", { text: digest }), " ", copyButton(digest)),
      pairs([
        ["Made", image.created ? image.created.replace("T", " ").replace("Z", " UTC") : "not said"],
        ["Size", one ? `${size(sum(blobsOf([one]).values()))} for ${one.name}${names.length > 1 ? `, ${size(image.size)} for all ${names.length} platforms` : ""}` : size(image.size)],
        ["What it is", one ? "" : strings[image.artifact]],
        ["Base", one?.base ? `${strings[one.base.name]}${one.base.digest ? ` (${one.base.digest})` : ""}` : one ? "not said" : ""],
        ["Base now", driftText(image.drift)],
        ...attachedPairs(),
      ]),
      ...(one ? [
        make("h3", { text: "Commands" }), ...commandsOf(one).map(([title, text]) => commandBlock(title, text)),
        make("h3", { text: `Layers (${number(one.layers.length)})` }), ownLayers(one),
        make("h3", { text: "Settings" }), pairs([...one.settings]),
      ] : [make("h3", { text: "Commands" }), commandBlock("Copy it to another registry", `dotnet msbuild -t:CopyImage -p:ImageSource=${quoted(digest)} -p:ImageRegistry=…`)]));
  }

  const pairs = (list) => make("dl", { class: "pairs" }, ...list.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })]));

  function driftText(drift) {
    if (!drift) return head.drift || !image.platforms.some((one) => one.base) ? "" : "not asked: make the page with -p:ImagePageDrift=true";
    if (drift.state === "unknown") return `not known: ${drift.reason}`;
    const end = drift.endOfLife ? `; it gets fixes until ${drift.endOfLife}` : "";
    if (drift.state === "current") return `the image is on what the name of its base points at${end}`;
    const runtime = drift.runtime && drift.currentRuntime && drift.runtime !== drift.currentRuntime ? `, runtime ${drift.runtime} → ${drift.currentRuntime}` : "";
    const packages = drift.packages ? `, ${many(drift.packages.length, "package")} of the system differ${drift.packages.length === 1 ? "s" : ""}: ${drift.packages.slice(0, 8).map((one) => `${one.name} ${one.before ?? "none"} → ${one.now ?? "none"}`).join(", ")}` : "";
    return `outdated: its name points at ${drift.digest}${drift.currentCreated ? ` of ${date(drift.currentCreated)}` : ""} now${runtime}${packages}${end}`;
  }

  function attachedPairs() {
    const listed = (image.attached ?? []).map((one) => [one.names.join(", "), `${one.digest}${one.subject === image.digest ? "" : `, of ${image.platforms.find((some) => some.digest === one.subject)?.name ?? one.subject}`}`]);
    const names = new Set(listed.map(([name]) => name));
    const seen = image.signs.map((one) => strings[one]).filter((sign) => !names.has(sign)).map((sign) => ["Attached", sign]);
    const none = listed.length + seen.length ? [] : [["Attached", image.attached ? "nothing" : `not looked for: only of the newest ${number(head.detailed)} images`]];
    return [...listed, ...seen, ...none];
  }

  // A word for a shell. Tags and repositories have a grammar without anything else; names in a local store need not.
  const quoted = (word) => (/^[\w@%+=:,./…-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

  function commandsOf(platform) {
    const pinned = quoted(`${head.name}@${image.digest}`);
    const tagged = quoted(`${head.name}:${image.title}`);
    const app = quoted(head.app);
    const ports = [...platform.settings.keys()].filter((name) => name.startsWith("port ")).map((name) => parseInt(name.slice(5), 10)).filter(Boolean).map((port) => ` -p ${port}:${port}`).join("");
    if (!head.registry) return [
      ["Push it", `dotnet msbuild -t:CopyImage -p:ImageSource=${tagged} -p:ImageRegistry=…`],
      ["Look at it", `dotnet msbuild -t:InspectImage -p:ImageSource=${tagged}`],
    ];
    return [
      ["Pull exactly this image", `docker pull ${pinned}`],
      ["Run it", `docker run --rm${ports} ${pinned}`],
      ["Update a deployment", `kubectl set image deployment/${app} ${app}=${pinned}`],
      ["Copy it to another registry", `dotnet msbuild -t:CopyImage -p:ImageSource=${pinned} -p:ImageRegistry=… -p:ImageTags=${quoted(image.title)}`],
      ["Put it on the newest base", `dotnet msbuild -t:RebaseImage -p:ImageSource=${tagged}`],
      ["Look at it", `dotnet msbuild -t:InspectImage -p:ImageSource=${pinned}`],
    ];
  }

  function ownLayers(platform) {
    const largest = Math.max(...platform.layers.map((layer) => layers.sizes[layer]), 1);
    const table = make("table", {}, make("caption", { text: "The topmost first" }), make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Layer" }), make("th", { scope: "col", class: "number", text: "Size" }), make("th", { scope: "col", class: "wide" }, make("span", { class: "heard", text: "Share" })), make("th", { scope: "col", class: "wide", text: "Digest" }))), make("tbody"));
    const rows = platform.layers.map((layer, at) => [layer, at < platform.baseLayers]).reverse();
    if (rows.length) fill(table.tBodies[0], rows, most.layers, ([layer, ofBase]) => make("tr", { style: ofBase ? "--h:250;--c:0.025" : "--h:250;--c:0.09" },
      make("td", { title: strings[layers.names[layer]] }, ...breakable(`${ofBase ? "base: " : ""}${nameOf(layer)}`)),
      make("td", { class: "number", text: size(layers.sizes[layer]) }),
      make("td", { class: "share" }, make("i", { style: `width:${(100 * layers.sizes[layer]) / largest}%` })),
      make("td", { class: "wide" }, make("code", { title: layers.digests[layer], text: shortDigest(layers.digests[layer]) }))));
    return table;
  }

  function openImage(one) {
    image = one;
    showImage();
    open("tab-image", true);
  }

  choose("tag", (one) => {
    image = one;
    showImage();
  });
  $("platform").addEventListener("change", (event) => showImage(event.target.value));

  // ---- the whole

  function showFacts() {
    const [newest] = real;
    const added = real.filter((one) => one.before).map((one) => one.added).sort((a, b) => a - b);
    const stored = new Map(real.flatMap((one) => [...wholeOf(one)]));
    const looked = images.slice(0, head.detailed);
    const checked = images.filter((one) => one.drift);
    const facts = [
      ["Tags", number(head.tagsRead), many(images.length, "image")],
      newest && ["Newest", newest.title, date(newest.created) || "time not said"],
      newest && ["Its size", size(newest.size), many(newest.platforms.length, "platform")],
      added.length && ["A version uploads", size(added[Math.floor(added.length / 2)]), "median, against the one before"],
      real.length && ["All together", size(sum(stored.values())), `${size(sum(real.map((one) => one.size)))} if nothing were shared`],
      ["Signed", number(looked.filter(isSigned).length), `of the newest ${number(looked.length)}`],
      checked.length && ["Base is outdated", number(checked.filter((one) => one.drift.state === "behind").length), `of ${number(checked.length)} that were checked`],
    ];
    $("facts").replaceChildren(...facts.filter(Boolean).map(([name, value, more]) => make("div", {}, make("dt", { text: name }), make("dd", {}, make("span", { class: "value", text: value }), make("small", { text: more })))));
  }

  function showNotes() {
    const left = head.tagCount - head.tagsRead;
    const note = (text, list) => list
      ? make("details", { class: "note" }, make("summary", { text }), make("ul", {}, ...list.slice(0, most.notes).map((one) => make("li", { text: one })), list.length > most.notes ? make("li", { text: `and ${number(list.length - most.notes)} more` }) : null))
      : make("div", { class: "note", text });
    $("notes").replaceChildren(...[
      left > 0 && note(`${many(left, "tag")} of ${number(head.tagCount)} are left out: the lowest versions, and names after versions. -p:ImageTagLimit=0 reads all, -p:ImageFilter="1.*" chooses.`),
      head.unread.length > 0 && note(`${many(head.unread.length, "tag")} can't be read`, head.unread.map((one) => `${one.tag}: ${one.reason}`)),
      head.gone.length > 0 && note(`${many(head.gone.length, "tag")} were removed while the page was made`, head.gone),
      data.files?.leftOut > 0 && note(`The files of ${many(data.files.leftOut, "image")} are left out: there would be too many, or a layer can't be read.`),
    ].filter(Boolean));
  }

  const open = tabs((tab) => {
    if (tab.id === "tab-versions") showChart();
    if (tab.id === "tab-compare") document.querySelector(".picture")?.paint();
  });

  $("name").append(...breakable(head.name));
  $("where").textContent = `${head.registry ? "A repository of a registry" : "A repository of the local store"}${head.filter ? `, tags that match ${head.filter}` : ""}, as it was on ${head.made.replace("T", " at ").replace("Z", " UTC")}`;
  $("axis").textContent = hasTime ? (shown.length < real.length ? `${number(real.length - shown.length)} without a time are not in the picture` : "") : "in the order of the list: the images do not say when they were made";
  $("tags").append(...images.flatMap((one) => one.tags).map((value) => make("option", { value })));
  showFacts();
  showNotes();
  showList();
  showShared();
  showChart();
  showCompare();
  showImage();
  let resizing;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => {
      showChart();
      document.querySelector(".picture")?.paint();
    }, 100);
  });
  document.documentElement.dataset.ready = Math.round(performance.now());
})();
