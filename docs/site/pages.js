// The pages, in reading order. Paths are relative to the repository's root.
import { readFileSync, readdirSync } from "node:fs";

const docs = new URL("..", import.meta.url);
const read = (path) => readFileSync(new URL(path, docs), "utf8");
const doc = (name, label) => ({ source: `docs/${name}.md`, label });
const sample = (name) => ({ source: `samples/${name}/README.md`, label: name });

const listed = [
  {
    title: "Start",
    pages: [{ source: "README.md", label: "Overview" }, doc("tour", "A tour"), doc("recipes", "Recipes"), doc("migrating", "Migrating"), doc("aspire", "Aspire")],
  },
  { title: "Look up", pages: [doc("properties", "Properties"), doc("reference", "Reference"), doc("troubleshooting", "Troubleshooting")] },
  {
    title: "Supply chain",
    pages: [doc("sbom", "SBOM"), doc("supply-chain", "Provenance"), doc("trust", "Signatures and trust"), doc("guard-rails", "Guard rails")],
  },
  {
    title: "Images",
    pages: [doc("packages", "System packages"), doc("variants", "Image variants"), doc("debugging", "Debugging"), doc("rebase", "Update base images"), doc("reproduce", "Reproduce an image"), doc("page", "Repository pages")],
  },
  {
    title: "How it works",
    pages: [doc("architecture", "Architecture"), doc("performance", "Performance"), doc("traces", "Traces"), doc("reliability", "Reliability"), doc("security", "Security"), doc("stability", "Stability")],
  },
  {
    title: "Samples",
    pages: [
      { source: "samples/README.md", label: "All samples" },
      ...[...read("../samples/README.md").matchAll(/\((\w+)\/README\.md\)/g)].map((link) => sample(link[1])),
    ],
  },
  {
    title: "Project",
    pages: [
      { source: "CHANGELOG.md", label: "Changelog" },
      { source: "CONTRIBUTING.md", label: "Contributing" },
      { source: "SECURITY.md", label: "Security policy" },
      { source: "CODE_OF_CONDUCT.md", label: "Code of conduct" },
      { source: "LICENSE", label: "Licence" },
      { source: "THIRD-PARTY-NOTICES.md", label: "Third-party notices" },
    ],
  },
];

// A page that is not listed above is shown under its own title.
const known = new Set(listed.flatMap((group) => group.pages.map((page) => page.source)));
const others = readdirSync(docs)
  .filter((name) => name.endsWith(".md") && !known.has(`docs/${name}`))
  .map((name) => doc(name.slice(0, -3), /^# (.*)$/m.exec(read(name))[1]));
export const groups = others.length > 0 ? [...listed, { title: "More", pages: others }] : listed;

export const pages = groups.flatMap((group) => group.pages);

// The file of the site for a file of the repository.
export function outputOf(source) {
  return pages.some((page) => page.source === source) ? source.replace(/README\.md$/, "index.html").replace(/\.md$|(?<=^LICENSE)$/, ".html") : source;
}
