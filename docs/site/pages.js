// The pages, in the order of reading. Paths begin at the repository's root.
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
    pages: [doc("sbom", "SBOM"), doc("supply-chain", "Provenance"), doc("trust", "Trust"), doc("guard-rails", "Guard rails")],
  },
  {
    title: "Images",
    pages: [doc("packages", "System packages"), doc("variants", "Variants"), doc("debugging", "Debugging"), doc("rebase", "New bases"), doc("reproduce", "Proof by rebuilding"), doc("page", "A repository's page")],
  },
  {
    title: "How it works",
    pages: [doc("architecture", "Architecture"), doc("performance", "Performance"), doc("traces", "Traces"), doc("reliability", "Reliability"), doc("security", "Security")],
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

// A page that nobody has given a place yet is there all the same, under its own title.
const known = new Set(listed.flatMap((group) => group.pages.map((page) => page.source)));
const others = readdirSync(docs)
  .filter((name) => name.endsWith(".md") && !known.has(`docs/${name}`))
  .map((name) => doc(name.slice(0, -3), /^# (.*)$/m.exec(read(name))[1]));
export const groups = others.length > 0 ? [...listed, { title: "More", pages: others }] : listed;

export const pages = groups.flatMap((group) => group.pages);

// The file of the site that a file of the repository becomes.
export function outputOf(source) {
  return pages.some((page) => page.source === source) ? source.replace(/README\.md$/, "index.html").replace(/\.md$|(?<=^LICENSE)$/, ".html") : source;
}
