/** The real server as a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWith, hasEnded } from './processes.mjs';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const storelens = `${root}/cli/bin/storelens.mjs`;

/** Most memory in bytes that a server of this run has held, since the last look. */
let highest = 0;
export function takePeak() {
  const peak = highest;
  highest = 0;
  return peak;
}

/** Resident memory of a process in bytes, now and at its peak; 0 where there is no /proc. */
function memoryOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
    return { now: of('VmRSS'), peak: of('VmHWM') };
  } catch {
    return { now: 0, peak: 0 };
  }
}

/** Starts `storelens serve` on a folder; `startMilliseconds` is the time from spawning to the ready line. */
export async function startServer(folder, settings = []) {
  const began = performance.now();
  const args = ['serve', '--data', folder, '--port', '0', '--log-level', 'error', ...settings];
  const child = spawn(process.execPath, [storelens, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWith(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ready = await new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) =>
      resolve(JSON.parse(line.replace('storelens ready ', ''))),
    );
    ended.then((code) => reject(new Error(`the server ended with ${code}`)));
  });
  const startMilliseconds = performance.now() - began;
  const operatorKey = (await readFile(ready.operatorKeyFile, 'utf8')).trim();
  return {
    url: ready.url,
    pid: child.pid,
    startMilliseconds,
    operatorKey,
    memory: () => memoryOf(child.pid),
    /** A value of /metrics; 99th percentiles there are those since the last look. */
    async metric(name) {
      const headers = { authorization: `Bearer ${operatorKey}` };
      const text = await (await fetch(`${ready.url}/metrics`, { headers })).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    },
    async stop() {
      highest = Math.max(highest, memoryOf(child.pid).peak);
      child.kill('SIGTERM');
      await ended;
      hasEnded(child);
    },
  };
}

/** Seconds of processor time that each thread of a process has taken, by its id; Linux only. */
export async function threadSeconds(pid) {
  const seconds = new Map();
  for (const id of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const stat = await readFile(`/proc/${pid}/task/${id}/stat`, 'utf8').catch(() => '');
    const name = /\((.*)\)/.exec(stat)?.[1];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (name !== undefined) {
      const label = Number(id) === pid ? `${id} main` : `${id} ${name}`;
      seconds.set(label, (Number(fields[11]) + Number(fields[12])) / 100);
    }
  }
  return seconds;
}

/** Seconds that all processors together were busy since the machine started; NaN where /proc is not. */
export async function busySeconds() {
  const stat = await readFile('/proc/stat', 'utf8').catch(() => '');
  const fields = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  const [user, nice, system, , , irq, softirq] = fields;
  return (user + nice + system + irq + softirq) / 100;
}
