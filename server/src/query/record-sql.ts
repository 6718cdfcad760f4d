/** Statements about the one record that lookups name: the frames of its stack, its file. */
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

/** A row per frame of the newest record, in order. */
export function framesStatement(plan: FramesPlan): Statement {
  const writer = new Writer(plan);
  const columns = plan.fields.map((field) => `${printed(member[field.member], field)} AS \`${field.name}\``);
  const record = `SELECT t.${frames} AS frames ${writer.from(plan.source, [frames], [])} ORDER BY t.seq DESC LIMIT 1`;
  return writer.statement(
    `SELECT ${columns.join(', ')} FROM (${record}) AS r ARRAY JOIN r.frames AS frame, arrayEnumerate(r.frames) AS number ORDER BY number`,
  );
}

/** Of the newest record, one with a file first: `[cabId, cabIdHash, day, milliseconds since 1970, bytes]`. */
export function fileStatement(plan: FilePlan): Statement {
  const writer = new Writer(plan);
  const columns = `t.cabId, t.cabIdHash, t.date, toUnixTimestamp64Milli(t.${plan.time}), t.${fileBytes}`;
  return writer.statement(
    `SELECT ${columns} ${writer.from(plan.source, [], [])} ORDER BY t.${fileBytes} > 0 DESC, t.seq DESC LIMIT 1`,
  );
}
