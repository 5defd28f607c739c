// Finds links and anchors of pages that lead nowhere.
import { existsSync } from "node:fs";
import { join, posix } from "node:path";

export function brokenLinks(output, pages) {
  const anchors = new Map(pages.map((page) => [page.path, new Set([...page.html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))]));
  return pages.flatMap((page) =>
    [...page.html.matchAll(/ (?:href|src)="([^"]*)"/g)]
      .map((match) => match[1])
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split("#");
        const target = path ? posix.join(posix.dirname(page.path), decodeURI(path)) : page.path;
        const known = anchors.get(target);
        return anchor ? !known?.has(decodeURIComponent(anchor)) : !known && !existsSync(join(output, target));
      })
      .map((link) => `${page.path}: ${link}`),
  );
}
