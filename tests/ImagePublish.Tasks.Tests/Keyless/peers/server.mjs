// An instance of sigstore on this machine, of @sigstore/mock's parts: node server.mjs FOLDER
// Writes trusted_root.json and signing_config.json there and prints its port. The mock takes everything; what the real services refuse is refused here.
import crypto from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import mock from "@sigstore/mock";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";

const issuer = "https://issuer.example.com";
const newKey = () => crypto.generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const keys = { ca: newKey(), log: newKey(), tsa: newKey(), tiles: crypto.generateKeyPairSync("ed25519") };
const spki = (pair) => pair.publicKey.export({ type: "spki", format: "der" });
const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest();

const ctlog = await mock.initializeCTLog(keys.ca);
const ca = await mock.initializeCA(keys.ca, ctlog);
const tsa = await mock.initializeTSA(keys.tsa);
// DER has no zeros at the end of a fraction.
tsa.getCurrentTime = () => new Date(Math.floor(Date.now() / 1000) * 1000 + 123);
const fulcio = mock.fulcioHandler(ca, { strict: true });
const stamps = mock.tsaHandler(tsa, { strict: true });
let rekor;

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

function issueToken(query, authorization) {
  if (authorization !== "Bearer request-token") return { statusCode: 401, response: '{"message":"Unauthorized"}' };
  const claims = {
    iss: issuer,
    sub: "https://git.example.com/acme/shop/.ci/publish.yml@refs/heads/main",
    aud: query.get("audience"),
    exp: Math.floor(Date.now() / 1000) + 600,
    repository: "acme/shop",
    ref: "refs/heads/main",
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return { statusCode: 200, response: JSON.stringify({ value: `${part({ alg: "ES256" })}.${part(claims)}.c2lnbmF0dXJl` }) };
}

async function certify(body) {
  const { credentials, publicKeyRequest } = JSON.parse(body);
  const claims = claimsOf(credentials.oidcIdentityToken);
  const proof = Buffer.from(publicKeyRequest.proofOfPossession, "base64");
  if (claims.aud !== "sigstore" || claims.exp < Date.now() / 1000)
    return { statusCode: 400, response: '{"code":3,"message":"There was an error processing the identity token"}' };
  if (!crypto.verify("sha256", Buffer.from(claims.sub), publicKeyRequest.publicKey.content, proof))
    return { statusCode: 400, response: '{"code":3,"message":"The signature supplied in the request could not be verified"}' };
  const issued = await fulcio.fn(body);
  // The mock rounds the beginning of the certificate to a second, which may be the next one: what comes after it must not be before it.
  await new Promise((done) => setTimeout(done, 1000));
  return issued;
}

// As Rekor keeps what is proposed.
async function enter(body) {
  const proposed = JSON.parse(body);
  if (proposed.kind !== "dsse") return rekor.fn(body);
  const { envelope, verifiers } = proposed.spec.proposedContent;
  const { payload, payloadType, signatures } = JSON.parse(envelope);
  const content = Buffer.from(payload, "base64");
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${content.length} `), content]);
  const certificate = new crypto.X509Certificate(Buffer.from(verifiers[0], "base64"));
  if (!crypto.verify("sha256", signed, certificate.publicKey, Buffer.from(signatures[0].sig, "base64")))
    return { statusCode: 400, response: '{"code":400,"message":"verifying signature: invalid"}' };
  const hash = (bytes) => ({ algorithm: "sha256", value: sha256(bytes).toString("hex") });
  const spec = {
    envelopeHash: hash(Buffer.from(envelope)),
    payloadHash: hash(content),
    signatures: [{ signature: signatures[0].sig, verifier: verifiers[0] }],
  };
  return rekor.fn(JSON.stringify({ apiVersion: "0.0.1", kind: "dsse", spec }));
}

// Rekor's second version, which the mock lacks: https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md
const origin = "127.0.0.1";
const tilesId = sha256(Buffer.concat([Buffer.from(`${origin}\n`), Buffer.from([1]), spki(keys.tiles).subarray(-32)]));
const leaves = ["somebody", "else"].map((text) => sha256(Buffer.from(`\0${text}`)));
const half = (count) => 2 ** Math.floor(Math.log2(count - 1));
const treeHash = (list) =>
  list.length === 1
    ? list[0]
    : sha256(Buffer.concat([Buffer.from([1]), treeHash(list.slice(0, half(list.length))), treeHash(list.slice(half(list.length)))]));
const proofOf = (list, index) => {
  if (list.length === 1) return [];
  const [left, right] = [list.slice(0, half(list.length)), list.slice(half(list.length))];
  return index < left.length
    ? [...proofOf(left, index), treeHash(right)]
    : [...proofOf(right, index - left.length), treeHash(left)];
};

// The kind 'dsse' is refused by its releases; the signer of @sigstore/sign 4 asks for it.
function enterSecond(body) {
  const { hashedRekordRequestV002: hashed, dsseRequestV002: envelope } = JSON.parse(body);
  const verifier = hashed?.signature.verifier ?? envelope.verifiers[0];
  const content = hashed?.signature.content ?? envelope.envelope.signatures[0].sig;
  const certificate = new crypto.X509Certificate(Buffer.from(verifier.x509Certificate.rawBytes, "base64"));
  const payload = envelope && Buffer.from(envelope.envelope.payload, "base64");
  const type = envelope?.envelope.payloadType;
  const signed = payload && Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  if (signed && !crypto.verify("sha256", signed, certificate.publicKey, Buffer.from(content, "base64")))
    return { statusCode: 400, response: '{"code":3,"message":"invalid signature"}' };
  const hash = (digest) => ({ algorithm: "SHA2_256", digest });
  const [kind, spec] = hashed
    ? ["hashedrekord", { hashedRekordV002: { data: hash(hashed.digest), signature: { content, verifier } } }]
    : ["dsse", { dsseV002: { payloadHash: hash(sha256(payload).toString("base64")), signatures: [{ content, verifier }] } }];
  const entry = Buffer.from(JSON.stringify({ apiVersion: "0.0.2", kind, spec }));
  const index = leaves.push(sha256(Buffer.concat([Buffer.from([0]), entry]))) - 1;
  const rootHash = treeHash(leaves).toString("base64");
  const note = `${origin}\n${leaves.length}\n${rootHash}\n`;
  const signature = Buffer.concat([tilesId.subarray(0, 4), crypto.sign(null, Buffer.from(note), keys.tiles.privateKey)]);
  const answer = {
    logIndex: `${index}`,
    logId: { keyId: tilesId.toString("base64") },
    kindVersion: { kind, version: "0.0.2" },
    integratedTime: "0",
    inclusionPromise: null,
    inclusionProof: {
      logIndex: `${index}`,
      rootHash,
      treeSize: `${leaves.length}`,
      hashes: proofOf(leaves, index).map((one) => one.toString("base64")),
      checkpoint: { envelope: `${note}\n\u2014 ${origin} ${signature.toString("base64")}\n` },
    },
    canonicalizedBody: entry.toString("base64"),
  };
  return { statusCode: 200, response: JSON.stringify(answer) };
}

// The mock takes the request in JSON only, which time-stamp authorities other than sigstore's do not.
async function stamp(body, type) {
  if (type !== "application/timestamp-query") return stamps.fn(body.toString());
  const query = new pkijs.TimeStampReq({ schema: asn1js.fromBER(body).result });
  return stamps.fn(
    JSON.stringify({
      artifactHash: Buffer.from(query.messageImprint.hashedMessage.valueBlock.valueHexView).toString("base64"),
      hashAlgorithm: "sha256",
      certificates: query.certReq,
      nonce: Number(query.nonce.toBigInt()),
    }),
  );
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", async () => {
    const url = new URL(request.url, "http://127.0.0.1");
    const body = Buffer.concat(parts);
    let answer = { statusCode: 404, response: "" };
    try {
      if (url.pathname === "/token") answer = issueToken(url.searchParams, request.headers.authorization);
      else if (url.pathname === "/api/v2/signingCert") answer = await certify(body.toString());
      else if (url.pathname === "/api/v1/log/entries") answer = await enter(body.toString());
      else if (url.pathname === "/tiles/api/v2/log/entries") answer = enterSecond(body.toString());
      else if (url.pathname === "/api/v1/timestamp") answer = await stamp(body, request.headers["content-type"]);
    } catch (error) {
      answer = { statusCode: 500, response: String(error) };
    }
    console.log(`${request.method} ${url.pathname} ${answer.statusCode}`);
    response.writeHead(answer.statusCode, { "Content-Type": answer.contentType ?? "application/json" });
    response.end(answer.response);
  });
});

server.listen(0, "127.0.0.1", async () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  rekor = mock.rekorHandler(await mock.initializeTLog(address, keys.log), { strict: true });
  const validFor = { start: "2020-01-01T00:00:00Z" };
  const authority = (uri, ...certificates) => ({
    subject: { organization: "sigstore.mock", commonName: "sigstore" },
    uri,
    certChain: { certificates: certificates.map((bytes) => ({ rawBytes: Buffer.from(bytes).toString("base64") })) },
    validFor,
  });
  const log = (pair, baseUrl = address, id = sha256(spki(pair)), keyDetails = "PKIX_ECDSA_P256_SHA_256") => ({
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: spki(pair).toString("base64"), keyDetails, validFor },
    logId: { keyId: id.toString("base64") },
  });
  const root = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [log(keys.log), log(keys.tiles, `${address}/tiles`, tilesId, "PKIX_ED25519")],
    certificateAuthorities: [authority(address, ca.rootCertificate)],
    ctlogs: [log(keys.ca)],
    timestampAuthorities: [authority(`${address}/api/v1/timestamp`, tsa.intCertificate, tsa.rootCertificate)],
  };
  writeFileSync(join(process.argv[2], "trusted_root.json"), JSON.stringify(root, null, 2));
  const service = (url, majorApiVersion = 1) => ({ url, majorApiVersion, validFor, operator: "sigstore.mock" });
  const config = {
    mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    caUrls: [service(address)],
    rekorTlogUrls: [service(`${address}/tiles`, 2), service(address)],
    rekorTlogConfig: { selector: "ANY" },
    tsaUrls: [service(`${address}/api/v1/timestamp`)],
    tsaConfig: { selector: "ANY" },
  };
  writeFileSync(join(process.argv[2], "signing_config.json"), JSON.stringify(config, null, 2));
  console.log(`listening on ${server.address().port}`);
});
