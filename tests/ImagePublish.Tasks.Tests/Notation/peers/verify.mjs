// Verifies the JWS of a Notation signature with a certificate: node verify.mjs envelope.json signer.pem
import { readFileSync } from "node:fs";
import { flattenedVerify, importX509 } from "jose";

const [envelope, certificate] = process.argv.slice(2);
try {
  const jws = JSON.parse(readFileSync(envelope, "utf8"));
  const key = await importX509(readFileSync(certificate, "utf8"), "ES256");
  const crit = { "io.cncf.notary.signingScheme": true };
  const { payload, protectedHeader } = await flattenedVerify(jws, key, { algorithms: ["ES256"], crit });
  const { targetArtifact } = JSON.parse(new TextDecoder().decode(payload));
  console.log(`verified ${protectedHeader.alg} ${protectedHeader["io.cncf.notary.signingScheme"]} ${targetArtifact.digest}`);
} catch (error) {
  console.log(`refused ${error.code} ${error.message}`);
  process.exitCode = 1;
}
