/** `storelens report` before services that answer what it does not expect: it neither loses data in silence nor falls over. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { placeIn, shell } from './transcript.js';

type Answer = (request: IncomingMessage, reply: ServerResponse) => void;

const json =
  (body: object | string): Answer =>
  (_request, reply) => {
    reply.setHeader('content-type', 'application/json');
    reply.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** Answers by the product that is asked for. */
const answers: Readonly<Record<string, Answer>> = {
  token: json({ access_token: 'a.b.c', expires_in: '3599' }),
  cut: (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/csv' });
    reply.write('date,market\n2016-02-01,US\n', () => setImmediate(() => reply.destroy()));
  },
  percent: (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/csv', 'storelens-notice': '100% \x9b2J' });
    reply.end('date\n2016-02-01\n');
  },
  strict: (request, reply) => {
    const { accept = '' } = request.headers;
    if (/json|^\*/.test(accept)) return json({ Value: [{ date: '2016-02-01' }] })(request, reply);
    reply.writeHead(406).end();
  },
  gaps: json({
    Value: [
      { date: '2016-02-01', id: '1', rating: 5 },
      { date: '2016-02-01', id: '2', rating: 1, reviewText: 'slow', siloId: '9' },
    ],
    TotalCount: 2,
  }),
  long: json({
    Value: Array.from({ length: 200_000 }, (_, index) => ({ market: index % 7 ? 'US' : '日本' })),
  }),
  dated: (request, reply) => {
    const named = new URL(request.url ?? '', 'http://localhost').searchParams.get('groupby') === 'date';
    json({ Value: [{ date: named ? '2016-02-01' : null, impressions: 5, acquisitionQuantity: 5 }] })(
      request,
      reply,
    );
  },
  nothing: json({ Value: [], TotalCount: 0 }),
  escapes: (_request, reply) => {
    reply.writeHead(400, { 'content-type': 'application/json' });
    reply.end(JSON.stringify({ innererror: { data: ['no \x1b[2J such field', 'nor this'] } }));
  },
};

async function service(context: TestContext): Promise<(line: string) => ReturnType<typeof shell>> {
  const server = createServer((request, reply) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const name = pathname.endsWith('/token') ? 'token' : (searchParams.get('applicationId') ?? '');
    answers[name]?.(request, reply);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'storelens-report-'));
  const place = await placeIn(folder, {
    STORELENS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    STORELENS_TENANT_ID: 'contoso.example',
    STORELENS_CLIENT_ID: 'nightly',
    STORELENS_CLIENT_SECRET: 'secret',
  });
  context.after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  return (line) => shell(place, `storelens report ${line}`);
}

test('reports of services that answer otherwise', async (context) => {
  const report = await service(context);
  const cases: Readonly<Record<string, () => Promise<void>>> = {
    'a whole result that breaks off is told, and worth repeating': async () => {
      const { out, err, code } = await report('appacquisitions --app cut --all --format csv');
      assert.equal(out, 'date,market\n2016-02-01,US\n');
      assert.match(err, /^storelens: 127\.0\.0\.1:\d+ did not send its answer to the end: .+\n$/);
      assert.equal(code, 5);
    },
    'a notice with a percent sign and a control character is shown without it': async () => {
      const { out, err, code } = await report('appacquisitions --app percent --all --format csv');
      assert.deepEqual([out, err, code], ['date\n2016-02-01\n', 'note: 100% \u{fffd}2J\n', 0]);
    },
    'a service without CSV is asked for rows, however strict it is': async () => {
      const { out, err, code } = await report('appacquisitions --app strict --all --format csv');
      assert.deepEqual([out, err, code], ['date\n2016-02-01\n', '', 0]);
    },
    'columns that the first row lacks are there': async () => {
      const { out, code } = await report('reviews --app gaps --format csv');
      const [head, first, second] = out.split('\n');
      assert.match(head ?? '', /^date,id,rating,reviewText,siloId,applicationId,/);
      assert.match(first ?? '', /^2016-02-01,"1",5,"",,"",/);
      assert.match(second ?? '', /^2016-02-01,"2",1,"slow","9","",/);
      assert.equal(code, 0);
    },
    'a long table is drawn, with wide characters in their columns': async () => {
      const { out, err, code } = await report('appacquisitions --app long --all --format table');
      assert.equal(err, '');
      assert.ok(out.startsWith('market\n日本\nUS\n'), out.slice(0, 100));
      assert.equal(code, 0);
    },
    'CSV without rows has the columns that grouping gives': async () => {
      const { out } = await report('appacquisitions --app nothing --groupby market --format csv');
      assert.equal(out, 'date,applicationId,market,acquisitionQuantity\n');
    },
    'a chart over time asks for dates by name': async () => {
      for (const name of ['adsperformance', 'appacquisitions']) {
        const { out } = await report(`${name} --app dated --format chart`);
        assert.match(out, /\n +2016-02-01\n$/, name);
      }
    },
    'what a service says cannot drive the terminal': async () => {
      const { err, code } = await report('appacquisitions --app escapes');
      assert.deepEqual([err, code], ['storelens: no \u{fffd}[2J such field\nnor this\n', 4]);
    },
    'options that would say nothing are mistakes': async () => {
      for (const options of [
        '--all --top 3',
        '--raw --format json',
        '--measure x',
        '--top 3 --format chart',
      ]) {
        const { code } = await report(`appacquisitions --app nothing ${options}`);
        assert.equal(code, 2, options);
      }
    },
  };
  for (const [name, check] of Object.entries(cases)) await context.test(name, check);
});
