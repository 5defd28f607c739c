// Signs a statement with sigstore's own signer: node sign.mjs ADDRESS STATEMENT KIND > bundle.json
// KIND is that of the log's entry, or 'v2' for Rekor's second version.
import { readFileSync } from "node:fs";
import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder, FulcioSigner, RekorWitness, TSAWitness } from "@sigstore/sign";

const [address, statement, entryType] = process.argv.slice(2);
const identityProvider = {
  getToken: async () => {
    const response = await fetch(`${address}/token?audience=sigstore`, { headers: { authorization: "Bearer request-token" } });
    return (await response.json()).value;
  },
};
const signer = new FulcioSigner({ fulcioBaseURL: address, identityProvider, retry: false });
const witnesses = [
  entryType === "v2"
    ? new RekorWitness({ rekorBaseURL: `${address}/tiles`, majorApiVersion: 2, retry: false })
    : new RekorWitness({ rekorBaseURL: address, entryType, fetchOnConflict: false, retry: false }),
  new TSAWitness({ tsaBaseURL: address, retry: false }),
];
const builder = new DSSEBundleBuilder({ signer, witnesses });
const bundle = await builder.create({ data: readFileSync(statement), type: "application/vnd.in-toto+json" });
console.log(JSON.stringify(bundleToJSON(bundle)));
