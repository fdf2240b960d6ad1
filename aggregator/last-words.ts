/**
 * What each member last said, kept through a restart of the aggregator: members say it again, but one that is down by then
 * cannot. Only what differs from before is written.
 */
import { createHash } from 'node:crypto'
import { KEYS_PER_MEMBER } from '../mesh/core/gossip.ts'
import type { SignedStatement } from '../mesh/core/model.ts'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'
import { signedStatementSchema } from '../mesh/wire/schema.ts'
import type { Journal } from './model.ts'

const PREFIX = 'said/'

export class LastWords {
  readonly #store: Journal
  /** By signer and name, the hash of what was written last: all of it would be a second copy of what the fleet says. */
  readonly #written = new Map<string, Map<string, string>>()

  constructor(store: Journal) {
    this.#store = store
  }

  /** Throws an Error when the store holds something else under these names. */
  read(): readonly SignedStatement[] {
    return [...this.#store.facts(PREFIX).values()].map((value) => {
      const signed = decodeValue(signedStatementSchema, Buffer.from(value, 'base64'))
      this.#isNews(signed)
      return signed
    })
  }

  keep(signed: SignedStatement): void {
    const { signer, body } = signed.statement
    // Whether it lives is asked afresh; who could convict whom is told anew within seconds.
    if (body.kind !== 'note' && body.kind !== 'announcement') return
    if (!this.#isNews(signed)) return
    this.#store.writeFact(`${PREFIX}${signer}/${nameOf(signed)}`, Buffer.from(encodeValue(signed)).toString('base64'))
  }

  /** Not under more names than a member may speak under at once: one that invents them must not fill the disk. */
  #isNews(signed: SignedStatement): boolean {
    const { signer, body } = signed.statement
    const written = this.#written.get(signer) ?? new Map<string, string>()
    const name = nameOf(signed)
    // Of a note its name says the rest.
    const said = body.kind === 'note' ? body.bytes : encodeValue(body)
    const content = createHash('sha256').update(said).digest('base64')
    const isOneTooMany = !written.has(name) && written.size >= KEYS_PER_MEMBER
    if (isOneTooMany || written.get(name) === content) return false
    this.#written.set(signer, written.set(name, content))
    return true
  }
}

function nameOf({ statement: { body } }: SignedStatement): string {
  return body.kind === 'note' ? body.topic : body.kind
}
