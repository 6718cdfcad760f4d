/** The response header that says what a reader of an answer should know. */
import type { FastifyReply } from 'fastify';

/** Sets `Storelens-Notice`; header values are ASCII, so other characters are percent-encoded. */
export function setNotice(reply: FastifyReply, notices: readonly string[]): void {
  const text = notices.join('; ').replace(/[^\u0020-\u007e]/gu, (character) => encodeURIComponent(character));
  reply.header('storelens-notice', text);
}
