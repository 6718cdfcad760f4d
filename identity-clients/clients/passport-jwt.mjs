/** passport-jwt with jwks-rsa: an API of somebody else that accepts our tokens by the published keys. */
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { give, given, resource } from './environment.mjs';

const form = new URLSearchParams({
  grant_type: 'client_credentials',
  client_id: given.clientId,
  client_secret: given.clientSecret,
  resource,
});
const answer = await fetch(`${given.login}/${given.tenantId}/oauth2/token`, { method: 'POST', body: form });
const { access_token: token } = await answer.json();

/** What the strategy does with a token: `accepted` with the claims, or `refused` with the reason. */
function check(text) {
  return new Promise((resolve) => {
    const options = {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      issuer: `https://sts.windows.net/${given.tenantId}/`,
      audience: resource,
      algorithms: ['RS256'],
      secretOrKeyProvider: passportJwtSecret({ jwksUri: `${given.login}/common/discovery/keys` }),
    };
    const strategy = new Strategy(options, (claims, done) => done(null, claims));
    strategy.success = (claims) => resolve({ accepted: claims });
    strategy.fail = (reason) => resolve({ refused: String(reason?.message ?? reason) });
    strategy.error = (reason) => resolve({ refused: String(reason?.message ?? reason) });
    strategy.authenticate({ headers: { authorization: `Bearer ${text}` } });
  });
}

const [header, payload, signature] = token.split('.');
const claims = JSON.parse(Buffer.from(payload, 'base64url'));
const forged = Buffer.from(JSON.stringify({ ...claims, appid: '00000000-0000-4000-8000-000000000000' }));
give({
  genuine: await check(token),
  tampered: await check([header, forged.toString('base64url'), signature].join('.')),
  unsigned: await check(
    [Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url'), payload, ''].join('.'),
  ),
});
