// Reads bills of materials as their own libraries do, and prints what is wrong: node read.mjs app.spdx.json app.cdx.json
import { readFileSync } from "node:fs";
import { Validation } from "@cyclonedx/cyclonedx-library";
import { PackageURL } from "packageurl-js";
import parse from "spdx-expression-parse";
import { faultsOf } from "./shape.mjs";

const wrong = [];
const attempt = (what, read) => {
  try {
    read();
  } catch (error) {
    wrong.push(`${what}: ${error.message}`);
  }
};

function readSpdx(document) {
  wrong.push(...faultsOf(document).slice(0, 20));
  const ids = [...document.packages, ...document.files].map((element) => element.SPDXID);
  const known = new Set([...ids, "SPDXRef-DOCUMENT"]);
  if (known.size !== ids.length + 1) wrong.push("an identifier stands twice");
  for (const { spdxElementId, relatedSpdxElement } of document.relationships)
    if (!known.has(spdxElementId) || !known.has(relatedSpdxElement)) wrong.push(`${spdxElementId} -> ${relatedSpdxElement}`);
  for (const one of document.packages) {
    if (one.licenseDeclared !== "NOASSERTION") attempt(one.name, () => parse(one.licenseDeclared));
    for (const reference of one.externalRefs ?? []) attempt(one.name, () => PackageURL.fromString(reference.referenceLocator));
  }
}

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  const document = JSON.parse(text);
  if (document.spdxVersion === "SPDX-2.3") readSpdx(document);
  else if (document.bomFormat === "CycloneDX") {
    const errors = await new Validation.JsonStrictValidator(document.specVersion).validate(text);
    if (errors) wrong.push(JSON.stringify(errors).slice(0, 2000));
  } else wrong.push(`${file} is neither SPDX 2.3 nor CycloneDX`);
}
console.log(wrong.length === 0 ? "valid" : wrong.join("\n"));
process.exitCode = wrong.length === 0 ? 0 : 1;
