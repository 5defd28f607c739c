// Verifies a bundle with sigstore's own verifier: node verify.mjs trusted_root.json bundle.json IDENTITY ISSUER
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

const [root, bundle, subjectAlternativeName, issuer] = process.argv.slice(2);
try {
  const material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(readFileSync(root, "utf8"))));
  const entity = toSignedEntity(bundleFromJSON(JSON.parse(readFileSync(bundle, "utf8"))));
  const signer = new Verifier(material).verify(entity, { subjectAlternativeName, extensions: { issuer } });
  console.log(`verified ${signer.identity.subjectAlternativeName} ${signer.identity.extensions.issuer} with ${entity.timestamps.length} times`);
} catch (error) {
  console.log(`refused ${error.code ?? ""} ${error.message}`);
  process.exitCode = 1;
}
