/** Answers that whoever asks again has already: an entity tag of the content, and 304 without it. */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** JSON of `answer` with its tag, or a 304 to whoever says that it has that. */
export function answerTagged(request: FastifyRequest, reply: FastifyReply, answer: unknown): FastifyReply {
  const text = JSON.stringify(answer)
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
  // It may be kept, and must be asked about each time.
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' })
  if (isNamed(request.headers['if-none-match'], tag)) return reply.code(304).send()
  return reply.type('application/json; charset=utf-8').send(text)
}

/** RFC 9110, 13.1.2: compared weakly. */
function isNamed(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((each) => [tag, '*'].includes(each.trim().replace(/^W\//, '')))
}
