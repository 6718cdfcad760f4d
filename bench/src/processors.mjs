/** Who takes processor time; Linux only, elsewhere the answers are empty or NaN. */
import { readdir, readFile } from 'node:fs/promises';

/** Fields of a /proc stat file from the state on, which stands behind the name in parentheses. */
const fieldsOf = (stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
const ticks = (...fields) => fields.reduce((sum, field) => sum + Number(field), 0) / 100;

/** Seconds of processor time of all threads of a running process. */
export async function secondsOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = fieldsOf(stat);
  return ticks(fields[11], fields[12]);
}

/** The same in milliseconds and with all digits, for the length of one request; threads that have ended do not count. */
export async function finelyOf(pid) {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const read = (id) => readFile(`/proc/${pid}/task/${id}/schedstat`, 'utf8').catch(() => '0');
  const stats = await Promise.all(threads.map(read));
  return stats.reduce((sum, stat) => sum + Number(stat.split(' ')[0]), 0) / 1e6;
}

/** Seconds of processor time of this process and of all that it has started and that have ended. */
export async function ownSeconds() {
  const stat = await readFile('/proc/self/stat', 'utf8').catch(() => '');
  return ticks(...fieldsOf(stat).slice(11, 15));
}

/** Seconds that all processors together were busy since the machine started. */
export async function machineSeconds() {
  const stat = await readFile('/proc/stat', 'utf8').catch(() => '');
  const fields = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ');
  const [user, nice, system, , , irq, softirq] = fields;
  return ticks(user, nice, system, irq, softirq);
}

/** How many processors other programs kept busy while `run` ran, on average; `run` ends all that it starts. */
export async function besides(run) {
  const began = performance.now();
  const before = [await machineSeconds(), await ownSeconds()];
  const result = await run();
  const after = [await machineSeconds(), await ownSeconds()];
  const [machine, own] = after.map((value, index) => value - before[index]);
  return { result, others: Math.max(0, ((machine - own) * 1000) / (performance.now() - began)) };
}
