/**
 * Connections that carry no request when the server stops: spare ones of browsers, half-sent heads. Node takes a
 * connection for busy until its first request was answered and would wait for these; nothing was promised on them.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

interface Connection {
  readonly socket: Socket;
  /** Answers that are not complete, in the order of their requests. */
  readonly answers: Set<ServerResponse>;
}

// With TLS the socket of a request is not the one that was accepted; their other ends are the same.
function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** How long a connection without a request is kept at a stop: a request may be on its way over it. */
const linger = 100;

/**
 * Watches the connections of a server. The result is to be called when the server is told to stop, while it still
 * answers: it has the last answer on each connection say that it is the last, then closes those without a request.
 */
export function watchConnections(server: Server): () => Promise<void> {
  const connections = new Map<string, Connection>();
  let stopping = false;
  server.on('connection', (socket: Socket) => {
    const key = otherEnd(socket);
    const connection = { socket, answers: new Set<ServerResponse>() };
    connections.set(key, connection);
    socket.once('close', () => {
      if (connections.get(key) === connection) connections.delete(key);
    });
  });
  server.on('request', (request, response) => {
    const connection = connections.get(otherEnd(request.socket));
    if (connection === undefined) return;
    connection.answers.add(response);
    response.once('close', () => {
      connection.answers.delete(response);
      // An answer whose head was gone before the stop could not say so any more.
      if (stopping && connection.answers.size === 0) connection.socket.end();
    });
  });
  return async () => {
    stopping = true;
    for (const { answers } of connections.values()) {
      const last = [...answers].at(-1);
      if (last?.headersSent === false) last.setHeader('connection', 'close');
    }
    await setTimeout(linger);
    for (const { socket, answers } of connections.values()) if (answers.size === 0) socket.destroy();
  };
}
