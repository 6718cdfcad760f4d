/** A server in a process of its own, started from the command line, that can be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const storelens = fileURLToPath(new URL('../../../../cli/bin/storelens.mjs', import.meta.url));

/** What the ready line says. */
export interface Ready {
  readonly url: string;
  readonly operatorKeyFile: string;
}

/** Starts a server on a data folder and waits for its ready line. */
export class ServerProcess {
  #child: ChildProcess | undefined;
  #logged = '';

  constructor(
    readonly folder: string,
    readonly args: readonly string[] = [],
  ) {}

  /** What the server wrote to standard error since its start. */
  get logged(): string {
    return this.#logged;
  }

  async start(): Promise<Ready> {
    const args = ['serve', '--data', this.folder, '--port', '0', ...this.args];
    const child = spawn(process.execPath, [storelens, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#logged = '';
    child.stderr.on('data', (chunk: Buffer) => {
      this.#logged = (this.#logged + chunk.toString('utf8')).slice(-20_000);
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const json = /^storelens ready (.*)$/.exec(line)?.[1];
      if (json !== undefined) return JSON.parse(json) as Ready;
    }
    throw new Error(`the server ended before it was ready: ${this.#logged}`);
  }

  /** Ends the process without a warning; returns when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
