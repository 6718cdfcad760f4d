/** Statements about the one record that lookups name: the frames of its stack, its file. */
import { copiedRecord } from './mirrored.js';
import type { FilePlan, FrameMember, FramesPlan } from './plan.js';
import { printed } from './row-text.js';
import { fileBytes, type Statement, Writer } from './sql-writer.js';

/** Column with the frames of a record, the failing one first. */
const frames = 'frames';

const member: Record<FrameMember, string> = {
  level: 'toString(number - 1)',
  image: "tupleElement(frame, 'image')",
  function: "tupleElement(frame, 'function')",
  offset: "tupleElement(frame, 'offset')",
};

/** The frames of a copied stack in the type of the others. */
const framesOfText =
  "JSONExtract(m.stack, 'Array(Tuple(image String, function String, offset String, found String, file String, line UInt32))')";

/** A row per frame of the newest record, in order. */
export function framesStatement(plan: FramesPlan): Statement {
  const writer = new Writer(plan);
  const columns = plan.fields.map((field) => `${printed(member[field.member], field)} AS \`${field.name}\``);
  return writer.statement(`SELECT ${columns.join(', ')} ${frameSource(writer, plan)} ORDER BY number`);
}

/** The same rows as values, without an order, and the frame's number, from 1. */
export function frameRows(writer: Writer, plan: FramesPlan): string {
  const columns = plan.fields.map(({ name, member: made }) => `${member[made]} AS \`${name}\``);
  return `SELECT number, ${columns.join(', ')} ${frameSource(writer, plan)}`;
}

function frameSource(writer: Writer, plan: FramesPlan): string {
  const own = writer.from(plan.source, [frames], []);
  let record = `SELECT t.${frames} AS frames ${own} ORDER BY t.seq DESC LIMIT 1`;
  if (plan.copied !== undefined) {
    const copied = `SELECT ${framesOfText} AS frames, m.seq AS seq ${copiedRecord(plan, plan.copied, writer.bind)}`;
    const all = `SELECT t.${frames} AS frames, t.seq AS seq ${own} UNION ALL ${copied}`;
    record = `SELECT frames FROM (${all}) ORDER BY seq DESC LIMIT 1`;
  }
  return `FROM (${record}) AS r ARRAY JOIN r.frames AS frame, arrayEnumerate(r.frames) AS number`;
}

/** Of the newest record, one with a file first: `[cabId, cabIdHash, day, milliseconds since 1970, bytes]`. */
export function fileStatement(plan: FilePlan): Statement {
  const writer = new Writer(plan);
  const columns = `t.cabId, t.cabIdHash, t.date, toUnixTimestamp64Milli(t.${plan.time}), t.${fileBytes}`;
  const own = writer.from(plan.source, [], []);
  if (plan.copied === undefined) {
    return writer.statement(`SELECT ${columns} ${own} ORDER BY t.${fileBytes} > 0 DESC, t.seq DESC LIMIT 1`);
  }
  const midnight = "toInt64(toUnixTimestamp(toDateTime(m.date, 'UTC'))) * 1000";
  const copied = copiedRecord(plan, plan.copied, writer.bind);
  const all = `SELECT t.cabId AS cabId, t.cabIdHash AS cabIdHash, t.date AS day, toUnixTimestamp64Milli(t.${plan.time}) AS time, t.${fileBytes} AS bytes, t.seq AS seq ${own} UNION ALL SELECT m.name AS cabId, m.fileId AS cabIdHash, m.date AS day, ${midnight} AS time, m.cabBytes AS bytes, m.seq AS seq ${copied}`;
  return writer.statement(
    `SELECT cabId, cabIdHash, day, time, bytes FROM (${all}) ORDER BY bytes > 0 DESC, seq DESC LIMIT 1`,
  );
}
