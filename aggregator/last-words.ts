/**
 * What each member last said, kept through a restart of the aggregator: members say it again, but one that is down by then
 * cannot. Only what differs from before is written.
 */
import type { SignedStatement } from '../mesh/core/model.ts'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'
import { signedStatementSchema } from '../mesh/wire/schema.ts'
import type { Store } from './model.ts'

const PREFIX = 'said/'

export class LastWords {
  readonly #store: Store
  readonly #written = new Map<string, string>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Throws an Error when the store holds something else under these names. */
  read(): readonly SignedStatement[] {
    return [...this.#store.facts(PREFIX).values()].map((value) => {
      return decodeValue(signedStatementSchema, Buffer.from(value, 'base64'))
    })
  }

  keep(signed: SignedStatement): void {
    const { signer, body } = signed.statement
    // Whether it lives is asked afresh; who could convict whom is told anew within seconds.
    if (body.kind !== 'note' && body.kind !== 'announcement') return
    const key = `${PREFIX}${signer}/${body.kind === 'note' ? body.topic : body.kind}`
    const content = Buffer.from(encodeValue(body)).toString('base64')
    if (this.#written.get(key) === content) return
    this.#written.set(key, content)
    this.#store.writeFact(key, Buffer.from(encodeValue(signed)).toString('base64'))
  }
}
