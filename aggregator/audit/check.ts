/**
 * Checks a trail from its first link to its end, and finds the first event that does not fit. Pure: rows and heads are
 * handed to it in their order, so that a history of any length can be checked page by page.
 */
import { CHAIN_ROOT, type ChainedRow, linkHash } from './chain.ts'
import { isSigned, type SignedHead } from './head.ts'
import type { TrailFrame } from './trail.ts'

/** The first thing that does not fit. */
export interface Misfit {
  readonly what: 'altered' | 'missing' | 'moved' | 'unhashed' | 'rewritten' | 'head'
  /** Place of the event that it shows at. */
  readonly seq: number
  /** Id of that event; empty when it is gone. */
  readonly id: string
  /** One sentence for a person. */
  readonly why: string
}

export interface AuditResult {
  readonly holds: boolean
  readonly first: number
  /** Events that were checked, and those from before the chain. */
  readonly checked: number
  readonly earlier: number
  /** Heads that fit. */
  readonly heads: number
  /** The last head that fits; null when there is none. */
  readonly signed: Pick<SignedHead, 'seq' | 'hash' | 'at' | 'node' | 'signer'> | null
  /** Checked events after it: they hang together, and nobody has signed for them yet. */
  readonly unsigned: number
  readonly misfit: Misfit | null
}

export interface Trust {
  readonly mesh: string
  /** Peer ids of aggregators whose signatures count. */
  readonly signers: ReadonlySet<string>
  /** A head that was noted elsewhere, at an earlier time. */
  readonly noted?: { readonly seq: number; readonly hash: string }
}

export class ChainCheck {
  readonly #frame: TrailFrame
  readonly #trust: Trust
  #misfit: Misfit | undefined
  /** The last event that fits. */
  #last: { readonly seq: number; readonly id: string; readonly hash: string }
  #checked = 0
  #heads = 0
  #signed: SignedHead | undefined

  constructor(frame: TrailFrame, trust: Trust) {
    this.#frame = frame
    this.#trust = trust
    this.#last = { seq: frame.first - 1, id: '', hash: frame.before ?? CHAIN_ROOT }
  }

  /** Something does not fit: nothing after it is looked at. */
  get isOver(): boolean {
    return this.#misfit !== undefined
  }

  /** The next event; those heads that it is the last of must be told before the one after it. */
  row(row: ChainedRow): void {
    if (this.isOver) return
    this.#misfit = this.#misfitOf(row)
    if (this.isOver) return
    this.#last = { seq: row.seq, id: row.id, hash: String(row.hash) }
    this.#checked++
    const { noted } = this.#trust
    if (noted?.seq === row.seq && noted.hash !== row.hash) {
      const why = `event ${row.seq} has the hash ${row.hash}, and ${noted.hash} was noted`
      this.#misfit = { what: 'rewritten', seq: row.seq, id: row.id, why }
    }
  }

  /** The next head, once the events up to its own were told. */
  head(head: SignedHead): void {
    if (this.isOver) return
    this.#misfit = this.#whyNotOurs(head) ?? this.#whyNotOfThese(head)
    if (this.isOver) return
    this.#heads++
    this.#signed = head
  }

  /** After the last event and head. */
  end(): AuditResult {
    this.#misfit ??= this.#whatIsGone()
    const { first, earlier } = this.#frame
    const signed = this.#signed
    return {
      holds: !this.isOver,
      first,
      checked: this.#checked,
      earlier,
      heads: this.#heads,
      signed: signed === undefined ? null : told(signed),
      unsigned: this.#last.seq - (signed?.seq ?? first - 1),
      misfit: this.#misfit ?? null,
    }
  }

  #misfitOf(row: ChainedRow): Misfit | undefined {
    const { seq, id, hash } = row
    const due = this.#last.seq + 1
    if (seq < due) return { what: 'moved', seq, id, why: `event ${seq} stands where ${due} is due` }
    if (seq > due) return { what: 'missing', seq: due, id: '', why: `event ${due} is gone: ${seq} (${id}) comes next` }
    if (hash === null) return { what: 'unhashed', seq, id, why: `event ${seq} has lost its hash` }
    const counted = linkHash(this.#last.hash, row)
    if (counted === hash) return undefined
    const why = `event ${seq} is not what was stored in this place: its hash is ${hash}, and it gives ${counted}`
    return { what: 'altered', seq, id, why }
  }

  /** Who signed it, and in which order. */
  #whyNotOurs(head: SignedHead): Misfit | undefined {
    const { number, first, seq, signer } = head
    // Once events were let go, so were the heads that nothing is left of.
    const due = this.#isCut && this.#signed === undefined ? number : (this.#signed?.number ?? 0) + 1
    const why = (says: string): Misfit => ({ what: 'head', seq, id: this.#idAt(seq), why: says })
    const which = `head ${number} at event ${seq}`
    if (number !== due) return why(`signed head ${due} is gone: ${number} comes next`)
    if (!this.#trust.signers.has(signer))
      return why(`${which} is signed by ${signer}, which is no aggregator known here`)
    if (!isSigned(this.#trust.mesh, head)) return why(`${which} was not signed so by ${signer}`)
    const from = this.#signed?.first ?? first
    if (this.#isCut ? first >= from && first <= this.#frame.first : first === this.#frame.first) return undefined
    return why(`the chain is said to begin at event ${this.#frame.first}, and ${which} was signed for ${first}`)
  }

  /** Whether it was signed for the events that are there. */
  #whyNotOfThese({ number, first, seq, hash, at, node }: SignedHead): Misfit | undefined {
    const { seq: end, hash: now, id } = this.#last
    if (seq > end) {
      const why = `events ${end + 1} to ${seq} are gone: ${node} signed for them at ${at}`
      return { what: 'missing', seq: end + 1, id: '', why }
    }
    if (seq < end) return { what: 'head', seq, id: '', why: `head ${number} at event ${seq} stands after event ${end}` }
    if (hash === now) return undefined
    const from = (this.#signed?.seq ?? first - 1) + 1
    const why = `what stands in ${from} to ${seq} was written anew: ${node} signed ${hash} at ${at}, and it gives ${now}`
    return { what: 'rewritten', seq, id, why }
  }

  #whatIsGone(): Misfit | undefined {
    const { first, given, heads } = this.#frame
    const { seq, id } = this.#last
    const { noted } = this.#trust
    if (seq < given) {
      const why = `events ${seq + 1} to ${given} are gone: their places had been given`
      return { what: 'missing', seq: seq + 1, id: '', why }
    }
    const signed = this.#signed?.number ?? 0
    if (signed < heads) {
      return { what: 'head', seq, id, why: `signed heads ${signed + 1} to ${heads} are gone` }
    }
    if (this.#isCut && this.#signed?.first !== first) {
      return { what: 'head', seq, id, why: `the chain is said to begin at event ${first}, and nobody signed for that` }
    }
    if (noted === undefined || (noted.seq >= first && noted.seq <= seq)) return undefined
    const why = `event ${noted.seq}, whose hash ${noted.hash} was noted, is not in the chain`
    return { what: 'missing', seq: noted.seq, id: '', why }
  }

  get #isCut(): boolean {
    return (this.#frame.before ?? CHAIN_ROOT) !== CHAIN_ROOT
  }

  #idAt(seq: number): string {
    return seq === this.#last.seq ? this.#last.id : ''
  }
}

function told({ seq, hash, at, node, signer }: SignedHead): AuditResult['signed'] {
  return { seq, hash, at, node, signer }
}
