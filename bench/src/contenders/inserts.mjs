/** A handler over the bare engine as one would first write it: every request is one durable insert of its bytes. */
import { fileURLToPath } from 'node:url';
import { insertBytes } from './engine.mjs';
import { startHandler } from './handler.mjs';

const file = fileURLToPath(import.meta.url);

/** Starts it on a folder of its own; `POST /insert` takes rows as the table has them. */
export const startInserts = (folder) => startHandler(file, [folder]);

async function serve(folder) {
  process.on('disconnect', () => process.exit(0));
  const [{ default: fastify }, { Session }] = await Promise.all([import('fastify'), import('chdb')]);
  const session = new Session(folder);
  const app = fastify();
  app.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer' }, (_, body, done) =>
    done(null, body),
  );
  let inserts = 0;
  app.post('/insert', async (request) => {
    inserts += 1;
    await insertBytes(session, 'acquisitions', request.body, 'JSONEachRow', `insert-${inserts}`);
    return { inserts };
  });
  process.send(await app.listen({ host: '127.0.0.1', port: 0 }));
}

if (process.argv[1] === file && process.send !== undefined) await serve(process.argv[2]);
