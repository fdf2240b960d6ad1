/** How the API says no: problem documents (RFC 9457), naming the field where one is to blame. */

import type { Socket } from 'node:net'
import type { ConnectionError, FastifyReply } from 'fastify'
import type { z } from 'zod'
import { StarlingError } from '../../common/errors.ts'

export interface Problem {
  readonly status: number
  readonly title: string
  /** One sentence for a person. */
  readonly detail: string
  readonly remedy?: string
  /** What of the question itself is wrong: the same, asked again, is refused again. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
}

/** Thrown by a route or a hook; the server's error handler turns it into its document. */
export class ProblemError extends Error {
  override name = 'ProblemError'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify({ type: 'about:blank', ...problem }))
}

/** For what is not HTTP, or too much or too slow to be read: there is no request yet that could be answered. */
export function refuseUnread(error: ConnectionError, socket: Socket): void {
  // Whoever sent it has gone.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, title] = UNREAD[error.code ?? ''] ?? [400, 'Bad Request']
  const body = JSON.stringify({ type: 'about:blank', status, title, detail: 'the request could not be read' })
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const UNREAD: Readonly<Record<string, readonly [status: number, title: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
}

export function notFound(detail: string, more: Pick<Problem, 'remedy' | 'errors'> = {}): ProblemError {
  return new ProblemError({ status: 404, title: 'Not found', detail, ...more })
}

/** `input` as the schema reads it. Throws a 400 that names each wrong field. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.flatMap((issue) => {
    const fields = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.join('.') || 'body']
    return fields.map((field) => ({ field, message: issue.message }))
  })
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
  throw new ProblemError({ status: 400, title: 'Invalid input', detail, errors })
}

/** What is to be thrown where something is refused as things stand: a 409 for a StarlingError, any other as it is. */
export function asConflict(title: string, error: unknown): unknown {
  if (!(error instanceof StarlingError)) return error
  const remedy = error.remedy === undefined ? {} : { remedy: error.remedy }
  return new ProblemError({ status: 409, title, detail: error.message, ...remedy })
}
