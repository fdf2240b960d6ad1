/** What every sink over HTTP has in common: a bound on time and on the answer, no way to elsewhere, and no secret in errors. */
import { UNPRINTABLE } from '../../common/unprintable.ts'
import { readSecret, type Source } from './secret.ts'
import { SinkError } from './sink.ts'

const ANSWER_WITHIN_MS = 10_000
const ANSWER_BYTES_MAX = 64 * 1024
const ANSWER_CHARS_SHOWN = 200
const RETRY_AFTER_MS_MAX = 3_600_000

export interface Post {
  readonly address: Source
  /** Put behind the path of the address. */
  readonly path?: string
  readonly token?: Source
  readonly contentType?: string
  readonly body: unknown
  /** Of what is not to be shown beside address and token. */
  readonly secrets?: readonly string[]
  readonly signal: AbortSignal
}

/** The answer's text. Rejects with SinkError for every answer but 2xx: final for those that asking again would not change. */
export async function post({
  address,
  path = '',
  token = {},
  contentType = 'application/json',
  ...rest
}: Post): Promise<string> {
  const { body, signal, secrets = [] } = rest
  const url = (await readSecret(address)) ?? ''
  const bearer = await readSecret(token)
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new SinkError('its address is not one of http or https')
  const target = new URL(url)
  target.pathname = target.pathname.replace(/\/+$/, '') + path
  const clean = cleaner([...secrets, bearer ?? '', ...(address.value === undefined ? [url, ...partsOf(target)] : [])])
  const headers: Record<string, string> = { 'content-type': contentType }
  if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`
  let answer: Response
  let text: string
  try {
    answer = await fetch(target, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    })
    text = await bounded(answer)
  } catch (error) {
    throw new SinkError(clean(`${target.host}: ${reasonOf(error)}`))
  }
  if (answer.ok) return text
  const { status } = answer
  const isFinal = status >= 300 && status < 500 && ![408, 425, 429].includes(status)
  const what = status < 400 ? 'sends elsewhere, which is not followed' : `answers ${status}`
  const said = text === '' ? '' : `: ${text.replace(UNPRINTABLE, ' ').slice(0, ANSWER_CHARS_SHOWN)}`
  throw new SinkError(clean(`${target.host} ${what}${said}`), { isFinal, retryAfterMs: retryAfter(answer) })
}

/** What of an address is as secret as the whole. */
function partsOf({ pathname, search }: URL): readonly string[] {
  return [pathname, search.slice(1), ...pathname.split('/')].filter((part) => part.length >= 8)
}

function cleaner(secrets: readonly string[]): (text: string) => string {
  const hidden = secrets.filter((secret) => secret !== '').toSorted((a, b) => b.length - a.length)
  return (text) => hidden.reduce((clean, secret) => clean.replaceAll(secret, '***'), text)
}

/** Seconds; its other form, a date, is not used by these services. */
function retryAfter({ headers }: Response): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) : undefined
}

/** fetch says just "fetch failed"; why is in its cause. */
function reasonOf(error: unknown): string {
  if (error instanceof DOMException) return error.name === 'TimeoutError' ? 'no answer in time' : 'it was given up'
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message
  return error instanceof Error ? error.message : String(error)
}

async function bounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error('its answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
