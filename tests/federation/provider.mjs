// The provider of the tests: `oidc-provider` with its own login and consent pages, on a free loopback port.
// A line of JSON on standard input configures it (again: with new keys), one on standard output answers.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const server = createServer();
let handler = null;
server.on('request', (request, response) => handler(request, response));
server.listen(0, '127.0.0.1', () => say({ issuer: issuer() }));

for await (const line of createInterface({ input: process.stdin })) {
  handler = configured(JSON.parse(line)).callback();
  say({ ok: true });
}
server.close();
server.closeAllConnections();

function issuer() {
  return `http://127.0.0.1:${server.address().port}`;
}

function configured({ clients, conform, algorithm }) {
  return new Provider(issuer(), {
    clients: clients.map((client) => ({ ...client, id_token_signed_response_alg: algorithm })),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: conform, // true: address and name come from the userinfo endpoint only
    cookies: { keys: [randomBytes(32).toString('hex')] },
    jwks: { keys: [key(algorithm)] },
    findAccount: (_context, login) => ({
      accountId: login,
      claims: () => ({
        sub: login,
        email: login.replace(/^unverified-/, ''),
        email_verified: !login.startsWith('unverified-'),
        name: login.split('@')[0],
      }),
    }),
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
}

function key(algorithm) {
  const { privateKey } = algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: algorithm, use: 'sig' };
}

function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
