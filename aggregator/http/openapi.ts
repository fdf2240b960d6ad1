/** The API as an OpenAPI 3.1 document, made of the very schemas by which input is checked. */
import { z } from 'zod'
import type { AnyRouteSpec } from './route.ts'

type Json = Record<string, unknown>

/** What any route answers that is asked wrongly, or by somebody who may not. */
export const COMMON_ERRORS: Readonly<Record<number, string>> = {
  400: 'input that does not fit; `errors` names each field',
  401: 'no token, or nobody’s',
  403: 'the right is missing, or a page of another origin asks',
  429: 'too many requests; Retry-After says when to ask again',
}

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'status', 'title', 'detail'],
  properties: {
    type: { type: 'string', const: 'about:blank' },
    status: { type: 'integer' },
    title: { type: 'string' },
    detail: { type: 'string', description: 'one sentence for a person' },
    remedy: { type: 'string', description: 'what can be done about it' },
    errors: {
      type: 'array',
      description: 'the same, asked again, is refused again',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

/** `version`: of the program that answers. `others`: what it answers, too, and nobody has described. */
export function openApiOf(routes: readonly AnyRouteSpec[], version: string, others: readonly string[] = []): Json {
  const schemas: Json = { Problem: PROBLEM }
  const paths: Record<string, Json> = {}
  for (const spec of routes) {
    const path = openApiPath(spec.path)
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operation(spec, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Starling', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ bearer: [] }],
    ...(others.length === 0 ? {} : { 'x-undescribed': others }),
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(Object.entries(COMMON_ERRORS).map(([status, why]) => [status, problem(why)])),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'a person’s token or the aggregator’s own' },
      },
    },
  }
}

/** `/explain/:node` as OpenAPI writes it: `/explain/{node}`. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}

/** The right that a route needs. */
export function rightOf({ right, method }: AnyRouteSpec): string {
  return right ?? (method === 'GET' ? 'view' : 'admin')
}

function operation(spec: AnyRouteSpec, schemas: Json): Json {
  const { method, path, summary, description, params, query, body, answer, answerType, messages, tagged } = spec
  const { status: done = 200, instead = {}, errors = {} } = spec
  const parameters = [...parametersOf('path', params, schemas), ...parametersOf('query', query, schemas)]
  const common = Object.keys(COMMON_ERRORS).map((status) => [status, { $ref: `#/components/responses/${status}` }])
  const own = Object.entries(errors).map(([status, why]) => [status, problem(why)])
  const schema = answer === undefined ? {} : schemaOf(answer, 'output', schemas)
  const told = Object.entries(messages ?? {}).map(([name, { says, data }]) => {
    return [name, { description: says, schema: schemaOf(data, 'output', schemas) }]
  })
  const content = { schema, ...(messages === undefined ? {} : { 'x-messages': Object.fromEntries(told) }) }
  const others = Object.entries(instead).map(([status, { when, answer: other }]) => {
    const inJson = { schema: schemaOf(other, 'output', schemas) }
    return [status, { description: when, content: { 'application/json': inJson } }]
  })
  return {
    operationId: operationId(method, path),
    summary,
    description: [description, `Takes the right ${rightOf(spec)}.`].filter(Boolean).join(' '),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(body, 'input', schemas) } },
          },
        }),
    responses: {
      [done]: { description: 'OK', content: { [answerType ?? 'application/json']: content } },
      ...(tagged ? { 304: { description: 'as If-None-Match says' } } : {}),
      ...Object.fromEntries([...others, ...common, ...own]),
    },
  }
}

function problem(why: string): Json {
  const schema = { $ref: '#/components/schemas/Problem' }
  return { description: why, content: { 'application/problem+json': { schema } } }
}

/** `GET /api/v1/mesh/matrix` is `getMeshMatrix`. */
function operationId(method: string, path: string): string {
  const words = path.replace('/api/v1/', '').split(/\W+/).filter(Boolean)
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function parametersOf(place: 'path' | 'query', schema: z.ZodType | undefined, schemas: Json): readonly Json[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as {
    properties?: Record<string, Json>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

/** A schema as JSON Schema; what has a name of its own goes to `schemas`. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $schema, $defs, ...made } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // Fields are added to answers as time goes by: whoever reads them passes over what they do not know.
    override: ({ jsonSchema }) => {
      if (io === 'output') delete jsonSchema.additionalProperties
      // Of the whole schema: its name is where it stands.
      delete jsonSchema.id
    },
  }) as Json & { $defs?: Record<string, Json> }
  for (const [name, part] of Object.entries($defs ?? {})) schemas[name] = withRefs(part)
  return withRefs(made) as Json
}

/** References to where the document keeps what has a name. */
function withRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withRefs)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === '$ref' && typeof each === 'string' ? each.replace('#/$defs/', '#/components/schemas/') : withRefs(each),
    ]),
  )
}
