/** Mails as they travel (RFC 5322, 2045-2047), read back: headers, and the parts of a multipart mail in their charset. */

export interface ReceivedMail {
  /** By lower-case name, unfolded and decoded; the last of those of one name. */
  readonly headers: ReadonlyMap<string, string>
  readonly subject: string
  readonly text: string
  readonly html: string | undefined
  /** As it came. */
  readonly raw: string
}

interface Part {
  readonly headers: ReadonlyMap<string, string>
  readonly type: string
  readonly body: string
}

export function decodeMail(bytes: Buffer): ReceivedMail {
  const raw = bytes.toString('latin1')
  const [top, ...rest] = partsOf(raw)
  if (top === undefined) throw new Error('no mail')
  const bodyOf = (type: string) => [top, ...rest].find((part) => part.type === type)?.body
  const text = bodyOf('text/plain') ?? ''
  return { headers: top.headers, subject: top.headers.get('subject') ?? '', text, html: bodyOf('text/html'), raw }
}

/** The part itself, then those within it. */
function partsOf(raw: string): Part[] {
  const end = raw.indexOf('\r\n\r\n')
  const headers = headersOf(end < 0 ? raw : raw.slice(0, end))
  const content = end < 0 ? '' : raw.slice(end + 4)
  const type = headers.get('content-type') ?? 'text/plain'
  const part = { headers, type: (type.split(';')[0] ?? '').trim().toLowerCase(), body: bodyOf(headers, content) }
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary === undefined) return [part]
  const within = `\r\n${content}`.split(`\r\n--${boundary}`).slice(1, -1)
  return [part, ...within.flatMap((piece) => partsOf(piece.replace(/^\r\n/, '')))]
}

function headersOf(head: string): Map<string, string> {
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), decodedWords(line.slice(colon + 1).trim())]
    }),
  )
}

/** RFC 2047: white space between two encoded words is none of the text. */
function decodedWords(value: string): string {
  const joined = value.replace(/(\?=)\s+(?==\?)/g, '$1')
  return joined.replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, content: string) =>
    encoding.toLowerCase() === 'b'
      ? Buffer.from(content, 'base64').toString('utf8')
      : quotedPrintable(content.replaceAll('_', ' ')).toString('utf8'),
  )
}

function bodyOf(headers: ReadonlyMap<string, string>, content: string): string {
  const encoding = (headers.get('content-transfer-encoding') ?? '7bit').toLowerCase()
  if (encoding === 'base64') return Buffer.from(content, 'base64').toString('utf8')
  if (encoding === 'quoted-printable') return quotedPrintable(content.replace(/=\r\n/g, '')).toString('utf8')
  return Buffer.from(content, 'latin1').toString('utf8')
}

function quotedPrintable(content: string): Buffer {
  const bytes = content.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}
