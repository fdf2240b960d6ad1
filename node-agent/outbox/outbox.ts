/**
 * The last day of what this node said of itself, on its own disk, for an aggregator that missed it. It outlives kill -9; it
 * never holds anything up: what cannot be written waits in memory, and what has no room is counted as lost.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import { decodeReport, encodeReport, isReportTopic, reportTopic } from '../../detectors/engine/report-note.ts'
import {
  KEPT_MS,
  type OutboxAsk,
  type OutboxPage,
  type OutboxRecord,
  RECORD_BYTES_MAX,
  recordIn,
  signRecord,
} from '../../outbox/record.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { encodeNote, remediationTopic } from '../../remediators/notes.ts'
import { OutboxFiles, type ReadSegment } from './files.ts'
import { type Found, foundIn, isChange, newsOf } from './news.ts'
import { outOf, type Segment } from './ring.ts'

/** A sixteenth of the room: what goes, goes by this much at once. */
const SEGMENTS = 16

/** Records that wait in memory while the disk takes none: some hundred KiB. */
const WAITING_MAX = 256

/** More than can have waited. */
const SKIPPED = 2 * WAITING_MAX

/** Of one page, bytes: what one answer may hold, without the words around it. */
const PAGE_BYTES_MAX = 240 * 1024

export interface OutboxInit {
  readonly stateDir: string
  readonly node: string
  readonly serial: number
  readonly mesh: string
  sign(bytes: Uint8Array): Uint8Array
  /** The most that it takes on disk. */
  readonly bytes: number
  readonly wallNow: () => number
  readonly log: Log
}

interface Waiting {
  readonly seq: number
  readonly at: string
  readonly signed: Uint8Array
}

export class Outbox {
  readonly #init: OutboxInit
  readonly #files: OutboxFiles
  readonly #id: string
  /** Its folder is there, and bears its name. */
  #hasBegun: boolean
  readonly #segments: Segment[] = []
  /** By topic of a report, what was found last. */
  readonly #found = new Map<string, Found>()
  /** What the disk did not take, oldest first. */
  readonly #waiting: Waiting[] = []
  #seq = 0
  #lost = 0

  constructor(init: OutboxInit) {
    this.#init = init
    this.#files = new OutboxFiles(join(init.stateDir, 'outbox'))
    const name = this.#recall()
    this.#hasBegun = name !== undefined
    this.#id = name ?? randomBytes(8).toString('hex')
  }

  /** On disk. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Records that went before their day was over. */
  get lost(): number {
    return this.#lost
  }

  report(detector: string, findings: readonly Finding[]): void {
    const topic = reportTopic(detector)
    const news = newsOf(findings)
    const [before, now] = [this.#found.get(topic) ?? {}, foundIn(news)]
    if (!isChange(before, now)) return
    this.#found.set(topic, now)
    this.#put(topic, encodeReport(news), before)
  }

  remediation(change: Remediation): void {
    this.#put(remediationTopic(change.plan.id), encodeNote(change), {})
  }

  /** What an aggregator lacks, as much as fits. */
  page({ outbox, after, since }: OutboxAsk): OutboxPage {
    const wanted = outbox === this.#id ? after : 0
    const records: Uint8Array[] = []
    let bytes = 0
    let upTo = wanted
    for (const { seq, at, signed } of this.#after(wanted, since)) {
      if (bytes + signed.length > PAGE_BYTES_MAX) return { outbox: this.#id, records, upTo, hasMore: true }
      upTo = seq
      if (at < since) continue
      records.push(signed)
      bytes += signed.length
    }
    return { outbox: this.#id, records, upTo: this.#seq, hasMore: false }
  }

  *#after(after: number, since: string): Generator<Waiting> {
    for (const { first, last, lastAt } of this.#segments) {
      if (last <= after || lastAt < since) continue
      for (const signed of this.#files.records(first)) {
        const { seq, at } = recordIn(signed)
        if (seq > after) yield { seq, at, signed }
      }
    }
    for (const waiting of this.#waiting) if (waiting.seq > after) yield waiting
  }

  #put(topic: string, bytes: Uint8Array, before: Found): void {
    const { node, serial, mesh, sign, wallNow } = this.#init
    const at = new Date(wallNow()).toISOString()
    const record: OutboxRecord = { node, serial, outbox: this.#id, seq: ++this.#seq, at, topic, bytes, before }
    const signed = signRecord(record, mesh, sign)
    if (signed.length > RECORD_BYTES_MAX) {
      this.#lose(1, `a record of ${signed.length} bytes is over ${RECORD_BYTES_MAX}`)
      return
    }
    this.#waiting.push({ seq: record.seq, at, signed })
    this.#write()
    if (this.#waiting.length > WAITING_MAX) {
      this.#lose(this.#waiting.splice(0, this.#waiting.length - WAITING_MAX).length, 'the disk takes none')
    }
  }

  /** What waits goes to the disk, in its order, for as long as the disk takes it. */
  #write(): void {
    const wasStuck = this.#waiting.length > 1
    try {
      if (!this.#hasBegun) this.#files.begin(this.#id)
      this.#hasBegun = true
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        this.#append(next)
        this.#waiting.shift()
      }
      if (wasStuck) this.#init.log.info({}, 'the outbox is written again')
    } catch (error) {
      if (wasStuck) return
      const err = messageOf(error)
      this.#init.log.error({ err }, 'the outbox cannot be written: what this node says is kept in memory only')
    }
  }

  #append({ seq, at, signed }: Waiting): void {
    this.#makeRoom(signed.length)
    const newest = this.#segments.at(-1)
    const isFull = newest === undefined || newest.bytes + signed.length > this.#init.bytes / SEGMENTS
    const { first, bytes } = isFull ? { first: seq, bytes: 0 } : newest
    const segment = { first, last: seq, lastAt: at, bytes: this.#files.append(first, bytes, signed) }
    if (!isFull) this.#segments.pop()
    this.#segments.push(segment)
  }

  #makeRoom(more: number): void {
    const keptSince = new Date(this.#init.wallNow() - KEPT_MS).toISOString()
    const { gone, lost } = outOf(this.#segments, { bytes: this.#init.bytes - more, keptSince })
    for (const { first } of gone) this.#files.remove(first)
    this.#segments.splice(0, gone.length)
    if (lost > 0) this.#lose(lost, `the outbox holds no more than ${this.#init.bytes} bytes`)
  }

  #lose(count: number, why: string): void {
    this.#lost += count
    this.#init.log.warn({ count, why }, 'records of the outbox are lost')
  }

  /** Name of an outbox that can be gone on with. A disk that cannot be read now is no reason not to start. */
  #recall(): string | undefined {
    try {
      const name = this.#files.name()
      if (name === undefined || !/^[0-9a-f]{16}$/.test(name)) return undefined
      for (const segment of this.#files.segments()) this.#recallSegment(segment)
      // What an earlier life told from memory and lost had places, too.
      this.#seq += SKIPPED
      return name
    } catch (error) {
      this.#init.log.error({ err: messageOf(error) }, 'the outbox cannot be read: it begins anew')
      this.#segments.length = 0
      this.#found.clear()
      this.#seq = 0
      return undefined
    }
  }

  /** What another enrolment of this node signed, nobody would believe; what another version wrote, nobody could read. */
  #recallSegment({ first, records: signed, bytes }: ReadSegment): void {
    const { node, serial } = this.#init
    const last = signed.at(-1)
    try {
      if (last === undefined) throw new Error('it is empty')
      const records = signed.map(recordIn)
      if (records.some((record) => record.node !== node || record.serial !== serial))
        throw new Error('it is of an earlier enrolment')
      for (const { topic, bytes: note } of records) this.#recallFound(topic, note)
      const { seq, at } = recordIn(last)
      this.#segments.push({ first, last: seq, lastAt: at, bytes })
      this.#seq = seq
    } catch (error) {
      this.#files.remove(first)
      if (signed.length > 0) this.#lose(signed.length, messageOf(error))
      this.#seq = Math.max(this.#seq, first + signed.length)
    }
  }

  #recallFound(topic: string, note: Uint8Array): void {
    if (isReportTopic(topic)) this.#found.set(topic, foundIn(decodeReport(this.#init.node, topic, note)))
  }
}
