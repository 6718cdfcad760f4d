/** The real server as a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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
