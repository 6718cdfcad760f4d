/** A contender's HTTP handler as a process of its own, which sends its URL when it listens. */
import { fork } from 'node:child_process';
import { endWith, hasEnded } from '../processes.mjs';

/** Starts a module that serves; it goes when its channel closes. */
export async function startHandler(file, args) {
  const child = fork(file, args);
  endWith(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    ended.then((code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return {
    url,
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
      hasEnded(child);
    },
  };
}
