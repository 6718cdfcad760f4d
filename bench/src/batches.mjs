/** Rows to ingest: a commit of the generated events, as clients send them and as the engine stores them. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyEngine, startEngine } from './contenders/engine.mjs';
import { rowsPerCommit } from './data.mjs';
import { place } from './folder.mjs';
import { cleanly } from './processes.mjs';

const told =
  'userId, acquisitionType, quantity, deviceType, osVersion, storeClient, orderName, market, gender, ageGroup, channelType';
/** What a client sends as text, and in a format that has times of its own. Mixed, as events of many apps come in. */
const sent = `applicationId, formatDateTime(timestamp, '%Y-%m-%dT%H:%i:%SZ') AS timestamp, ${told}`;
const typed = `applicationId, t.timestamp AS timestamp, ${told}`;
/** The same rows with all that the server adds to them, in the engine's own notation. */
const stored = `accountId, applicationId, date, timestamp, ${told}, seq`;
const rows = (columns) =>
  `SELECT ${columns} FROM acquisitions AS t WHERE t.seq = 1 ORDER BY cityHash64(t.userId, t.timestamp)`;

/** Sum that is equal when the same rows are stored so many times, whatever account and commit they are of. */
export const checksum = `SELECT count(), sum(cityHash64(applicationId, date, timestamp, ${told})) FROM acquisitions`;

/** Writes the files `{ndjson, parquet, bytes}` of `count` rows of a data folder; the caller removes `folder`. */
export const batchFiles = (data) =>
  cleanly(async (undo) => {
    const copy = await copyEngine(data.folder);
    undo(() => rm(copy, { recursive: true, force: true }));
    const engine = await startEngine(copy);
    undo(() => engine.stop());
    const folder = join(place, 'batches');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const write = async (name, columns, format) => {
      const path = join(folder, name);
      await engine.query(`INSERT INTO FUNCTION file('${path}', '${format}') ${rows(columns)}`, undefined, {
        output_format_json_quote_64bit_integers: 0,
        output_format_parquet_string_as_string: 1,
      });
      return path;
    };
    return {
      folder,
      count: rowsPerCommit,
      ndjson: await write('sent.ndjson', sent, 'JSONEachRow'),
      parquet: await write('sent.parquet', typed, 'Parquet'),
      bytes: await write('stored.ndjson', stored, 'JSONEachRow'),
    };
  });
