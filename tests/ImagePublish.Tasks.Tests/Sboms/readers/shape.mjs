// What SPDX 2.3 requires of a document, as far as it has what is written here: https://spdx.github.io/spdx-spec/v2.3/
// SPDX's own JSON schema is in no package of npm, NuGet or Debian.
import Ajv from "ajv";
import addFormats from "ajv-formats";

const text = { type: "string", minLength: 1 };
const matching = (pattern) => ({ type: "string", pattern });
const list = (items, contains) => ({ type: "array", minItems: 1, items, ...(contains && { contains }) });
const object = (required, optional = {}) => ({
  type: "object",
  additionalProperties: false,
  required: Object.keys(required),
  properties: { ...required, ...optional },
});

const id = matching("^SPDXRef-[A-Za-z0-9.-]+$");
const sha1 = matching("^[0-9a-f]{40}$");
const checksum = {
  oneOf: [
    ["SHA1", 40],
    ["SHA256", 64],
    ["SHA512", 128],
  ].map(([algorithm, length]) => object({ algorithm: { const: algorithm }, checksumValue: matching(`^[0-9a-f]{${length}}$`) })),
};

const packages = object(
  { SPDXID: id, name: text, downloadLocation: text },
  {
    versionInfo: text,
    supplier: matching("^(NOASSERTION|(Organization|Person): .+)$"),
    filesAnalyzed: { type: "boolean" },
    packageVerificationCode: object({ packageVerificationCodeValue: sha1 }),
    checksums: list(checksum),
    homepage: { type: "string", format: "uri" },
    sourceInfo: text,
    licenseConcluded: text,
    licenseDeclared: text,
    copyrightText: text,
    primaryPackagePurpose: { enum: ["APPLICATION", "CONTAINER", "FRAMEWORK", "LIBRARY", "OPERATING_SYSTEM"] },
    externalRefs: list(object({ referenceCategory: { const: "PACKAGE-MANAGER" }, referenceType: { const: "purl" }, referenceLocator: text })),
  },
);
// The code is of the files: there is none without them, and by default there are some.
packages.if = { properties: { filesAnalyzed: { const: false } }, required: ["filesAnalyzed"] };
packages.then = { not: { required: ["packageVerificationCode"] } };
packages.else = { required: ["packageVerificationCode"] };

const files = object(
  { SPDXID: id, fileName: matching("^\\./"), checksums: list(checksum, { properties: { algorithm: { const: "SHA1" } } }) },
  { licenseConcluded: text, copyrightText: text, comment: text },
);

const document = object(
  {
    spdxVersion: { const: "SPDX-2.3" },
    dataLicense: { const: "CC0-1.0" },
    SPDXID: { const: "SPDXRef-DOCUMENT" },
    name: text,
    documentNamespace: { type: "string", format: "uri", not: { pattern: "#" } },
    creationInfo: object({
      created: matching("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$"),
      creators: list(matching("^(Person|Organization|Tool): .+")),
    }),
    packages: list(packages),
    files: list(files),
    relationships: list(
      object(
        {
          spdxElementId: id,
          relationshipType: { enum: ["CONTAINS", "DEPENDS_ON", "DESCENDANT_OF", "DESCRIBES"] },
          relatedSpdxElement: id,
        },
        { comment: text },
      ),
    ),
  },
  { hasExtractedLicensingInfos: list(object({ licenseId: matching("^LicenseRef-[A-Za-z0-9.-]+$"), extractedText: text }, { name: text })) },
);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
const validate = ajv.compile(document);

/** What is wrong with a document, as a list of sentences. */
export const faultsOf = (value) => (validate(value) ? [] : validate.errors.map((error) => `${error.instancePath} ${error.message}`));
