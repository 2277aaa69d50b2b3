// Answers questions on standard input, a JSON list of [verifier, document, token], with whether each token is taken.
// Node resolves the packages beside the folder that NODE_VERIFIERS names.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(process.env.NODE_VERIFIERS + "/");
const jose = require("jose");
const jwksRsa = require("jwks-rsa");
const { JwtVerifier } = require("aws-jwt-verify");

let served = "";
const server = createServer((_, response) => response.setHeader("content-type", "application/json").end(served));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const jwksUri = `http://127.0.0.1:${server.address().port}/jwks.json`;

const verifiers = {
  jose: async (document, token) => jose.jwtVerify(token, jose.createLocalJWKSet(JSON.parse(document))),
  "jwks-rsa": async (document, token) => {
    served = document;
    const { kid, alg } = JSON.parse(Buffer.from(token.split(".")[0], "base64url"));
    const key = await jwksRsa({ jwksUri, cache: false }).getSigningKey(kid);
    await jose.jwtVerify(token, await jose.importSPKI(key.getPublicKey(), alg));
  },
  "aws-jwt-verify": async (document, token) => {
    const { iss, aud } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    const verifier = JwtVerifier.create({ issuer: iss, audience: aud, jwksUri: "https://unused.example/jwks.json" });
    verifier.cacheJwks(JSON.parse(document));
    await verifier.verify(token);
  },
};

const answers = [];
for (const [name, document, token] of JSON.parse(await text(process.stdin))) {
  answers.push(await verifiers[name](document, token).then(() => true, () => false));
}
server.close();
console.log(JSON.stringify(answers));
