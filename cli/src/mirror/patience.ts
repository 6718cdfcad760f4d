/**
 * Patience with a source that is silent, which costs minutes each time: a request is sent three times, or once after one
 * that was never answered, and after four of those in a row the run ends. A source may be silent about a window that is
 * too long, or about a single day; one that is silent about all of them in turn is not there.
 */
import { ConnectionError, type Retry } from '@storelens/client';
import { RefusedError } from '../command.js';

/** Attempts at a request that may end in silence. */
const mostAttempts = 3;

/** Requests without an answer, one after the other, that end the run. */
const mostRequests = 4;

/** Whether an error is that of a service that said nothing for a time. */
export function isSilence(error: unknown): error is ConnectionError {
  return error instanceof ConnectionError && error.code === 'timeout';
}

/** Nobody answers: the run is over. Exit code 5, as for a service that cannot be reached. */
export class SourceSilent extends RefusedError {
  constructor(error: ConnectionError) {
    const told = `the source: ${error.message} It did not answer ${mostRequests} requests in a row`;
    super(`${told}, so the run ends here; the next one goes on`, 5);
  }
}

/** Counts silence over the requests of a run, which are made one after the other. */
export class Patience {
  #attempts = 0;
  #requests = 0;

  /** Is told of attempts that failed before others follow; throws the error where no other should. */
  readonly onRetry = ({ error, attempt }: Pick<Retry, 'error' | 'attempt'>): void => {
    if (attempt === 1) this.#attempts = 0;
    if (!isSilence(error)) return;
    this.#attempts += 1;
    if (this.#attempts >= (this.#requests === 0 ? mostAttempts : 1)) throw error;
  };

  /** Is told of requests that failed for good. Throws SourceSilent when it is too much. */
  failed(error: unknown): void {
    if (isSilence(error)) this.#requests += 1;
    else this.heard();
    if (isSilence(error) && this.#requests >= mostRequests) throw new SourceSilent(error);
  }

  /** The source answered, be it with an error. */
  heard(): void {
    this.#requests = 0;
  }
}
