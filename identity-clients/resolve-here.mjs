/**
 * Preloaded (`--import`) into clients that must stay unchanged: connections to Microsoft's hosts go to the server
 * under test. It stands for a DNS entry and a server on port 443, and touches nothing else: the client still asks
 * for the Microsoft name, sends it as SNI and checks the certificate for it.
 */
import { Socket } from 'node:net';

const hosts = new Set(['login.microsoftonline.com', 'login.windows.net', 'manage.devcenter.microsoft.com']);
const port = Number(process.env.STORELENS_PORT);
const connect = Socket.prototype.connect;

Socket.prototype.connect = function connectHere(...args) {
  // Internal callers pass the normalised form, an array of options and callback.
  const [first] = args;
  const options = Array.isArray(first) ? first[0] : first;
  if (typeof options === 'object' && options !== null && hosts.has(options.host)) {
    options.servername ??= options.host;
    options.host = '127.0.0.1';
    options.port = port;
  } else if (typeof options === 'object' && options !== null && options.host !== '127.0.0.1') {
    throw new Error(`a client wanted to reach ${options.host}, which is not part of this test`);
  }
  return connect.apply(this, args);
};
