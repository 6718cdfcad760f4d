/**
 * A reading thread: reads crash files, one at a time, as the main thread asks. Files come from strangers; if one takes
 * too long or too much memory, the thread is ended from outside and another one takes its place.
 */
import { parentPort } from 'node:worker_threads';
import { type OpenedCrash, openCrash, refusal } from './read-crash.js';
import type { ReadingAnswer, ReadingRequest } from './reading.js';
import { checkSymbols, SymbolCache } from './symbol-reading.js';

/**
 * Room for parsed symbols that are kept for the next file, in bytes as estimated. The largest file that is taken fits,
 * as reading it anew for every crash would take seconds.
 */
const symbolBudget = 400 * 1024 * 1024;

const cache = new SymbolCache(symbolBudget);

let opened: OpenedCrash | undefined;

function answerTo(request: ReadingRequest): ReadingAnswer {
  try {
    if (request.ask === 'check') return { answer: 'checked', check: checkSymbols(request.path) };
    if (request.ask === 'open') {
      opened = openCrash(request.task);
      const { modules } = opened;
      if (
        request.symbols &&
        modules.some(({ debugId, codeId }) => debugId !== undefined || codeId !== undefined)
      ) {
        return { answer: 'modules', modules };
      }
    }
    const symbols = request.ask === 'walk' ? request.symbols : [];
    const reading = opened?.walk(symbols, (at) => cache.index(at));
    opened = undefined;
    if (reading === undefined) throw new TypeError('a stack is to be walked before its file was opened');
    return { answer: 'done', reading };
  } catch (error) {
    opened = undefined;
    const sentence = refusal(error);
    return sentence === undefined ? { answer: 'failed', error } : { answer: 'refused', sentence };
  }
}

parentPort?.on('message', (request: ReadingRequest) => parentPort?.postMessage(answerTo(request)));
