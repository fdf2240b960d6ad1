/**
 * Verdicts that one aggregator comes to and another takes over. What the mesh acts on is the down list, which names no
 * votes: their certificates go round after it, for whoever leads next to show. They are large, and none of them is urgent.
 */
import type { Certificate, Roster, Standing, StatementBody } from '../mesh/core/model.ts'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'
import { certificateSchema } from '../mesh/wire/schema.ts'
import type { MeshStory } from './mesh-story.ts'
import { recordOf, type Verdicts } from './verdicts.ts'

const TOPIC = 'certificate/'

/** A topic has at most 256 characters, a node's name up to 253. */
const SUBJECT_CHARS_MAX = 200

/** Members keep it for so long: an aggregator that is being replaced is back by then. */
const TTL_MS = 3_600_000

/** 3 KiB each for ten observers, over every edge: a rack that dies must not fill the mesh with them. */
const GAP_MS = 200

export interface InheritanceInit {
  readonly verdicts: Pick<Verdicts, 'of'>
  readonly story: Pick<MeshStory, 'inherited'>
  /** The one in force. */
  roster(): Roster
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
  /** Keeps the roster in force for whoever verifies the certificate, if it is the one of this hash. */
  keepRoster(hash: string): void
}

export class Inheritance {
  readonly #init: InheritanceInit
  /** The latest of each subject that another aggregator convicted. */
  readonly #heard = new Map<string, Certificate>()
  readonly #toSend: Certificate[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(init: InheritanceInit) {
    this.#init = init
  }

  /** For the other aggregators, if there are any: one at a time, the first once what the verdict sets off has begun. */
  leave(certificate: Certificate): void {
    if (this.#init.roster().aggregators.length < 2) return
    this.#toSend.push(certificate)
    this.#timer ??= setTimeout(() => this.#send(), 0).unref()
  }

  /** What another aggregator says. `standing`: the verdicts of this one, while it leads. Throws for a note that is none. */
  hear(body: StatementBody, standing: ReadonlyMap<string, Standing> | undefined): void {
    if (body.kind !== 'note' || !body.topic.startsWith(TOPIC)) return
    const certificate = decodeValue(certificateSchema, body.bytes)
    const { subject } = certificate
    this.#heard.set(subject, certificate)
    this.#init.keepRoster(certificate.rosterHash)
    const verdict = standing?.get(subject)
    if (verdict !== undefined) this.take(verdict)
  }

  /** It stands, and this aggregator did not come to it: on record it goes, with its votes as soon as they are known. */
  take(verdict: Standing): void {
    const { verdicts, story, roster } = this.#init
    const heard = this.#heard.get(verdict.subject)
    const certificate = heard?.verdictId === verdict.verdictId ? heard : undefined
    const known = verdicts.of(verdict.verdictId)
    if (known !== undefined && (known.certificate !== '' || certificate === undefined)) return
    story.inherited(verdict, certificate && recordOf(certificate, roster()))
  }

  #send(): void {
    const certificate = this.#toSend.shift()
    this.#timer = certificate === undefined ? undefined : setTimeout(() => this.#send(), GAP_MS).unref()
    if (certificate === undefined) return
    const topic = `${TOPIC}${certificate.subject.slice(0, SUBJECT_CHARS_MAX)}`
    this.#init.publish(topic, encodeValue(certificate), TTL_MS)
  }
}
