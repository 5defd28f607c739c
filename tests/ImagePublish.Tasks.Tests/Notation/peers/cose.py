# Takes the COSE of a Notation signature apart, for OpenSSL: cose.py envelope
# Writes what is signed to 'signed' and its signature (in DER) to 'signature', and prints the headers and the digest.
import json
import sys

import cbor2


def der(number):
    bytes = number.to_bytes((number.bit_length() + 8) // 8, "big")
    return b"\x02%c" % len(bytes) + bytes


tagged = cbor2.loads(open(sys.argv[1], "rb").read())
assert tagged.tag == 18
protected, unprotected, payload, signature = tagged.value
headers = cbor2.loads(protected)
half = len(signature) // 2
numbers = der(int.from_bytes(signature[:half], "big")) + der(int.from_bytes(signature[half:], "big"))
open("signed", "wb").write(cbor2.dumps(["Signature1", protected, b"", payload]))
open("signature", "wb").write(b"\x30%c" % len(numbers) + numbers)
open("leaf.der", "wb").write(unprotected[33][0])
scheme = headers["io.cncf.notary.signingScheme"]
print(headers[1], headers[2], headers[3], scheme, len(unprotected[33]), json.loads(payload)["targetArtifact"]["digest"])
