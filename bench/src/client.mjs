/** A keep-alive HTTP client that measures, and clients that ask one after another for some time. */
import { Agent, request } from 'node:http';

/** A client with one connection per concurrent call; `send` and `ask` answer `{status, headers, body, milliseconds}`. */
export function createClient(url, authorization = undefined) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const { hostname, port } = new URL(url);
  let token = authorization;
  const send = (method, path, headers = {}, body = undefined) =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const all = {
        ...(token !== undefined && { authorization: token }),
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      };
      const outgoing = request({ agent, hostname, port, method, path, headers: all }, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const milliseconds = performance.now() - began;
          const { statusCode: status, headers: said } = answer;
          resolve({ status, headers: said, body: Buffer.concat(chunks), milliseconds });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const expect = async (status, ...request) => {
    const answer = await send(...request);
    if (answer.status === status) return answer;
    throw new Error(`${request[1]}: ${answer.status} ${answer.body.toString().slice(0, 500)}`);
  };
  return {
    send,
    /** A request whose answer has to be 200. */
    fine: (...request) => expect(200, ...request),
    /** Fetches a token for the account of a folder and returns the header. */
    async signIn({ tenantId, clientId, clientSecret }) {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        resource: 'https://manage.devcenter.microsoft.com',
      }).toString();
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await expect(200, 'POST', `/${tenantId}/oauth2/token`, type, body);
      token = `Bearer ${JSON.parse(answer.body.toString()).access_token}`;
      return token;
    },
    /** A report, by parameters or a query string. */
    ask(report, parameters) {
      const query = typeof parameters === 'string' ? parameters : new URLSearchParams(parameters).toString();
      return expect(200, 'GET', `/v1.0/my/analytics/${report}?${query}`);
    },
    close: () => agent.destroy(),
  };
}

/** Runs so many clients, each calling `once` again and again, and returns how many calls a second came back. */
export async function load(clients, seconds, once) {
  const began = performance.now();
  const until = began + seconds * 1000;
  let calls = 0;
  const client = async () => {
    while (performance.now() < until) {
      await once();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (calls * 1000) / (performance.now() - began);
}
