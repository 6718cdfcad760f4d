/**
 * Connections that carry no request when the server stops: spare ones of browsers, half-sent heads. Node takes a
 * connection for busy until its first request was answered and would wait for these; nothing was promised on them.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Requests that are being answered. */
  requests: number;
}

// With TLS the socket of a request is not the one that was accepted; their other ends are the same.
function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/**
 * Watches the connections of a server. The result is to be called when the server stops accepting: it closes the
 * connections without a request, and from then on each other one when its last request is answered.
 */
export function watchConnections(server: Server): () => void {
  const connections = new Map<string, Connection>();
  let stopping = false;
  server.on('connection', (socket: Socket) => {
    const key = otherEnd(socket);
    const connection = { socket, requests: 0 };
    connections.set(key, connection);
    socket.once('close', () => {
      if (connections.get(key) === connection) connections.delete(key);
    });
  });
  server.on('request', (request, response) => {
    const connection = connections.get(otherEnd(request.socket));
    if (connection === undefined) return;
    connection.requests += 1;
    response.once('close', () => {
      connection.requests -= 1;
      if (stopping && connection.requests === 0) connection.socket.end();
    });
  });
  return () => {
    stopping = true;
    for (const { socket, requests } of connections.values()) if (requests === 0) socket.destroy();
  };
}
