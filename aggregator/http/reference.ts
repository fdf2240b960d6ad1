/** docs/api.md, made of the descriptions of the routes: what a person reads, as openapi.json is what programs read. */
import { LIMITS } from './limits.ts'
import { COMMON_ERRORS, openApiPath, rightOf, schemaOf } from './openapi.ts'
import type { AnyRouteSpec } from './route.ts'

interface Schema {
  readonly type?: string | readonly string[]
  readonly $ref?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly description?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
}

const INTRODUCTION = `<!-- written by scripts/docs.ts -->
# API

Served by the aggregator beside the page, by default on port 7780. The same as OpenAPI 3.1, for generators of clients:
\`/api/v1/openapi.json\`. What is under \`/api/v1\` stays as it is: fields and routes are added, none is taken away or
changes its meaning.

- **Token.** \`Authorization: Bearer TOKEN\`: a person's own (\`starling people add\`), or the aggregator's. Rights: \`view\` to
  look, \`approve\` to decide on fixes, \`admin\` for all else. A browser has the token as a cookie, and only our own page
  may change anything with it.
- **No** is a problem document (RFC 9457, \`application/problem+json\`): \`status\`, \`title\`, \`detail\`, mostly \`remedy\`;
  \`errors\` names each field of a question that was wrong in itself. Every route can answer
  ${Object.entries(COMMON_ERRORS)
    .map(([status, why]) => `${status} (${why})`)
    .join(', ')}.
- **Lists** come page by page: \`{items, next}\`. Ask again with \`cursor=NEXT\` and the same filters until \`next\` is null. A
  cursor is opaque. Each aggregator counts its events itself, so a cursor of events of another one is refused (400).
- **Stream.** \`GET /api/v1/stream\` are Server-Sent Events; a browser's EventSource resumes by itself. After a message
  \`gap\` read \`/api/v1/events\` and go on: events have the same \`id\` in every aggregator's history. Each connection begins
  with the whole \`state\`; \`aggregator/stream/changes.ts\` is how the page applies a \`change\` to it.
- **Again?** Answers with an \`ETag\` are 304 for whoever sends it as \`If-None-Match\`.
- **Limits.** ${LIMITS.requests.toLocaleString('en')} requests of a caller from one address in ${LIMITS.windowMs / 1_000} s, ${LIMITS.refusals} with a token that is nobody's: beyond that 429, and
  \`Retry-After\` says when to go on. Bodies of ${LIMITS.bodyBytes / 1024} KiB (413) where nothing else is said, address and headers of ${LIMITS.headerBytes / 1024} KiB
  together (431); headers within ${LIMITS.headersMs / 1_000} s and a whole request within ${LIMITS.requestMs / 1_000} s (408).
- An aggregator that stands by answers 503 where it takes the one that leads, and says who that is. Histories it tells.

\`/livez\`, \`/readyz\` and \`/metrics\` need no token: they name no node. \`/livez\` has the worst lag of the event loop in the
last minute or two, \`/readyz\` whether it leads or could take over, and whether the history lacks what happened of late.
`

export function renderApi(routes: readonly AnyRouteSpec[]): string {
  return `${INTRODUCTION}${routes.map(section).join('')}`
}

function section(spec: AnyRouteSpec): string {
  const { method, path, summary, description, params, query, body, bodyLimit } = spec
  const { instead = {}, errors = {}, messages = {}, tagged } = spec
  const parts: Record<string, unknown> = {}
  const rows = [
    ...(params ? fieldsOf('path', schemaOf(params, 'input', parts) as Schema) : []),
    ...(query ? fieldsOf('query', schemaOf(query, 'input', parts) as Schema) : []),
    ...(body ? fieldsOf('body', schemaOf(body, 'input', parts) as Schema) : []),
  ]
  const table = rows.length === 0 ? '' : `\n| | Name | What |\n| - | - | - |\n${rows.join('\n')}\n`
  const told = Object.entries(messages).map(([name, { says, data }]) => {
    return `| \`${name}\` | ${says} | \`${typeOf(schemaOf(data, 'output', {}) as Schema)}\` |`
  })
  const stream = told.length === 0 ? '' : `\n| Message | What | Data |\n| - | - | - |\n${told.join('\n')}\n`
  const also = [
    `Takes \`${rightOf(spec)}\`.`,
    ...(bodyLimit === undefined ? [] : [`A body of ${Math.floor(bodyLimit / 1024)} KiB at most.`]),
    ...(tagged ? ['Has an ETag.'] : []),
  ]
  const other = Object.entries(instead).map(([status, { when, answer }]) => {
    return `\`${typeOf(schemaOf(answer, 'output', {}) as Schema)}\` with ${status} (${when})`
  })
  const no = Object.entries(errors).map(([status, why]) => `${status} (${why})`)
  return `
## ${method} ${openApiPath(path)}

${summary}.${description === undefined ? '' : ` ${description}`} ${also.join(' ')}
${table}
Answers ${[answerOf(spec), ...other].join(', or ')}${no.length === 0 ? '' : `; or ${no.join(', ')}`}.
${stream}
\`\`\`sh
${curl(spec)}
\`\`\`
`
}

function fieldsOf(place: string, { properties = {}, required = [] }: Schema): readonly string[] {
  return Object.entries(properties).map(([name, schema]) => {
    const must = required.includes(name) || place === 'path' ? ', needed' : ''
    const { description, default: byDefault } = schema
    const more = [description, byDefault === undefined ? undefined : `\`${JSON.stringify(byDefault)}\` by default`]
    const what = [`${typeOf(schema)}${must}`, ...more.filter((each) => each !== undefined)].join('; ')
    return `| ${place} | \`${name}\` | ${what.replaceAll('|', '\\|')} |`
  })
}

function answerOf({ answer, answerType, status }: AnyRouteSpec): string {
  if (answer === undefined) return `\`${answerType ?? 'application/json'}\``
  const type = `\`${typeOf(schemaOf(answer, 'output', {}) as Schema)}\``
  return status === undefined ? type : `${type} with ${status}`
}

/** As a person would write it: `{items: [Finding], next: string or null}`. */
function typeOf(schema: Schema): string {
  const { $ref, type, properties, required = [], items, minimum, maximum, maxLength, description } = schema
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const choices = schema.enum ?? []
  if (choices.length > 12) return 'one of those in openapi.json'
  if (choices.length > 0) return choices.map((each) => JSON.stringify(each)).join(' or ')
  const either = schema.oneOf ?? schema.anyOf
  if (either !== undefined) return either.map(typeOf).join(' or ')
  if (items !== undefined) return `[${typeOf(items)}]`
  if (properties !== undefined) {
    return `{${Object.entries(properties)
      .map(([name, each]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(each)}`)
      .join(', ')}}`
  }
  if (type === 'object' && description !== undefined) return description
  const range = minimum !== undefined && (maximum ?? Number.MAX_SAFE_INTEGER) < Number.MAX_SAFE_INTEGER
  if (range) return `${minimum} to ${maximum}`
  const length = maxLength === undefined ? '' : ` of at most ${maxLength} characters`
  return `${Array.isArray(type) ? type.join(' or ') : (type ?? 'anything')}${length}`
}

function curl({ method, path, example = {} }: AnyRouteSpec): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => example.params?.[name] ?? name.toUpperCase())
  const query = example.query === undefined ? '' : `?${example.query}`
  const given = ['curl -H "Authorization: Bearer $STARLING_TOKEN"']
  if (method !== 'GET') given.push(`-X ${method}`)
  if (example.body !== undefined) {
    given.push(`-H 'Content-Type: application/json' -d '${JSON.stringify(example.body)}'`)
  }
  return `${given.join(' ')} \\\n  "$STARLING_URL${filled}${query}"`
}
