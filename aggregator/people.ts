/**
 * Who may use the API under a name of their own, and how far. Of each token only the SHA-256 is kept: it is 192 bits of
 * chance, which nobody finds by trying.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { stringify } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../common/errors.ts'
import { unknownKeyError } from '../common/setting-errors.ts'
import { readYamlFile } from '../common/yaml-file.ts'
import type { Caller, Right } from './remediation-model.ts'

export const PEOPLE_FILE = '/etc/starling/people.yaml'

/** What whoever has the token of the aggregator is called. Several may have it, so it is nobody's name. */
export const TOKEN_HOLDER = 'local-token'

/** Each holds those before it. */
export const RIGHTS = ['view', 'approve', 'admin'] as const satisfies readonly Right[]

export interface Person extends Pick<Caller, 'name' | 'right'> {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly token: string
  /** RFC 3339: what was approved under this name before then was approved by somebody else, or with a token that is void. */
  readonly since: string
}

const TOKEN_BYTES = 24
const PEOPLE_MAX = 1_000

export const personName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._@-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 lower-case letters, digits and . _ @ - between')
  .refine(
    (name) => name !== TOKEN_HOLDER,
    `must be another than ${TOKEN_HOLDER}, as whoever has the aggregator's own token is called`,
  )

const person = z.strictObject({
  name: personName,
  right: z.enum(RIGHTS),
  token: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits, as `starling people add` writes it'),
  since: z.iso.datetime(),
}) satisfies z.ZodType<Person>

const peopleFile = z
  .strictObject({ people: z.array(person).max(PEOPLE_MAX).default([]) })
  .superRefine(({ people }, context) => {
    for (const [index, { name, token }] of people.entries()) {
      const refuse = (key: string, message: string) =>
        context.addIssue({ code: 'custom', path: ['people', index, key], message })
      const before = people.slice(0, index)
      if (before.some((other) => other.name === name)) refuse('name', `${name} is there twice: remove one of the two`)
      const alike = before.find((other) => other.token === token)
      if (alike !== undefined) refuse('token', `is that of ${alike.name} too: remove one, and add it with its own`)
    }
  })

/** Throws UsageError that names file, line and what is wrong. */
export function readPeople(file: string): readonly Person[] {
  const { value, placeOf } = readYamlFile(file)
  const result = peopleFile.safeParse(value)
  if (result.success) return result.data.people
  const { issues } = result.error
  // First: the value that seems to be missing is often the one behind it.
  const unknown = issues.find(({ code }) => code === 'unrecognized_keys')
  if (unknown?.code === 'unrecognized_keys') {
    const [key = ''] = unknown.keys
    const valid = unknown.path.length === 0 ? ['people'] : Object.keys(person.shape)
    throw unknownKeyError(placeOf(unknown.path, key), key, valid)
  }
  const { path = [], message = 'it is not valid' } = issues[0] ?? {}
  throw new UsageError(
    `${placeOf(path)}: ${path.join('.')}: ${message}`,
    'remove this person, and `starling people add` anew',
  )
}

export function formatPeople(people: readonly Person[]): string {
  const says =
    '# Who may use the API under a name of their own. `starling people` writes this file; no token is in it.\n'
  return says + stringify({ people })
}

/** A new person, and the token that nobody can find out again. */
export function makePerson(
  named: Pick<Person, 'name' | 'right'>,
  since: string,
): { readonly person: Person; readonly token: string } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  return { person: { ...named, token: `sha256:${digest(token).toString('hex')}`, since }, token }
}

/** Whose token it is. All are compared, and each as a whole: the time that it takes says nothing of any. */
export function whoseToken(people: readonly Person[], given: string): Person | undefined {
  const wanted = digest(given)
  const isTheirs = ({ token }: Person) => timingSafeEqual(Buffer.from(token.slice('sha256:'.length), 'hex'), wanted)
  return people.filter(isTheirs)[0]
}

/** In a time that says nothing of the token: digests make the lengths equal, as timingSafeEqual needs them. */
export function isSameToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token))
}

export function mayDo({ right }: Pick<Caller, 'right'>, needed: Right): boolean {
  return RIGHTS.indexOf(right) >= RIGHTS.indexOf(needed)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
