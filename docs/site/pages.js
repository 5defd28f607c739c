// The pages, in the order of reading. Paths begin at the repository's root.
const doc = (name, label) => ({ source: `docs/${name}.md`, label });
const sample = (name) => ({ source: `samples/${name}/README.md`, label: name });

export const groups = [
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
    pages: [doc("packages", "System packages"), doc("rebase", "New bases"), doc("reproduce", "Proof by rebuilding"), doc("page", "A repository's page")],
  },
  {
    title: "How it works",
    pages: [doc("architecture", "Architecture"), doc("performance", "Performance"), doc("reliability", "Reliability"), doc("security", "Security")],
  },
  {
    title: "Samples",
    pages: [
      { source: "samples/README.md", label: "All samples" },
      ...["HelloWeb", "Worker", "Shop", "Platforms", "Scratch", "Services", "Aspire", "Aot", "Extras"].map(sample),
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

export const pages = groups.flatMap((group) => group.pages);

// The file of the site that a file of the repository becomes.
export function outputOf(source) {
  return pages.some((page) => page.source === source) ? source.replace(/README\.md$/, "index.html").replace(/\.md$|(?<=^LICENSE)$/, ".html") : source;
}
