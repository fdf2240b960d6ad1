/**
 * Follows the kernel's log. Its ring holds a quarter of a second of a flood, so it is read all the time and not only when
 * somebody looks; what the ring dropped before it was read is known by the kernel's own word and by the numbers of records.
 */

import { closeSync, constants, openSync, readSync } from 'node:fs'
import { setImmediate as immediately } from 'node:timers/promises'
import { counted } from '../../common/counted.ts'
import type { Follower } from './follower.ts'
import { parseRecord, sequencesOf } from './kmsg-records.ts'
import type { Sink } from './sink.ts'

/**
 * It is the waking up that costs, not the look: of a process that does nothing else each is some 0.2 ms. The beginning of a
 * flood can be lost by this, which is then said.
 */
const POLL_MS = 200
/** While a flood lasts: 128 KiB (CONFIG_LOG_BUF_SHIFT 17) hold some 1 500 records, which at 10 000 a second last 150 ms. */
const FLOOD_POLL_MS = 40
/** In one poll: more than a kernel at rest writes in an hour. */
const FLOOD_BYTES = 4 * 1024
/** Each read gives one record, of at most CONSOLE_EXT_LOG_MAX (8 KiB) bytes; as many as fit are looked at together. */
const BATCH_BYTES = 64 * 1024
const RECORD_BYTES_MAX = 8 * 1024
/** Then others have their turn: the mesh's beat must not wait for a flood. */
const BATCHES_PER_TURN = 4

export class KmsgFollower implements Follower {
  readonly #path: string
  readonly #sink: Sink
  readonly #buffer = Buffer.allocUnsafe(BATCH_BYTES)
  #file: number | undefined
  #failure: Error | undefined
  #lastSequence: number | undefined
  #timer: NodeJS.Timeout | undefined
  #draining: Promise<void> | undefined
  #readBytes = 0
  /** Bytes in the buffer that are no whole line yet. Only a pipe in the place of the device has such. */
  #kept = 0

  /** Throws the error of open(2). Begins with what is in the ring. */
  constructor(path: string, sink: Sink) {
    this.#path = path
    this.#sink = sink
    this.#file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    this.#pollIn(POLL_MS)
  }

  async catchUp(): Promise<void> {
    await this.#drain()
    if (this.#failure !== undefined) throw this.#failure
  }

  close(): void {
    clearTimeout(this.#timer)
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #pollIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#readBytes = 0
      const hasMore = this.#draining !== undefined || this.#readBatch()
      if (hasMore) void this.#drain()
      if (this.#file !== undefined) this.#pollIn(this.#readBytes > FLOOD_BYTES ? FLOOD_POLL_MS : POLL_MS)
    }, ms).unref()
  }

  /** Reads until nothing is left; the one that is doing so is waited for. */
  #drain(): Promise<void> {
    this.#draining ??= this.#readAll().finally(() => {
      this.#draining = undefined
    })
    return this.#draining
  }

  async #readAll(): Promise<void> {
    for (;;) {
      for (let batch = 0; batch < BATCHES_PER_TURN; batch += 1) if (!this.#readBatch()) return
      await immediately()
    }
  }

  /** False when there was nothing more to read. */
  #readBatch(): boolean {
    let length = this.#kept
    let last: number | 'empty' | 'overrun' = 0
    while (length + RECORD_BYTES_MAX <= BATCH_BYTES) {
      last = this.#read(length)
      if (typeof last === 'string') break
      length += last
      this.#readBytes += last
    }
    const end = length === 0 ? 0 : this.#buffer.lastIndexOf('\n', length - 1) + 1
    if (end > 0) this.#take(this.#buffer.toString('latin1', 0, end))
    this.#buffer.copyWithin(0, end, length)
    this.#kept = length - end
    if (this.#kept + RECORD_BYTES_MAX > BATCH_BYTES) {
      this.#kept = 0
      this.#sink.lose('a line has no end')
    }
    return last !== 'empty'
  }

  /** How many bytes were read to `offset`. `overrun`: the ring has dropped what was next, and goes on with what it has. */
  #read(offset: number): number | 'empty' | 'overrun' {
    if (this.#file === undefined) return 'empty'
    try {
      return readSync(this.#file, this.#buffer, offset, BATCH_BYTES - offset, null) || 'empty'
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') return 'empty'
      if (code === 'EPIPE') {
        this.#sink.lose(`the kernel wrote more to ${this.#path} than its ring holds`)
        return 'overrun'
      }
      this.#failure = new Error(`${this.#path} cannot be read: ${code}`)
      this.close()
      return 'empty'
    }
  }

  #take(chunk: string): void {
    const numbers = sequencesOf(chunk)
    if (numbers !== undefined) {
      const missing = this.#lastSequence === undefined ? 0 : numbers.first - this.#lastSequence - 1
      if (missing > 0) this.#sink.lose(`${counted(missing, 'line')} of ${this.#path} dropped`)
      this.#lastSequence = numbers.last
    }
    this.#sink.take(chunk, readKmsgLine)
  }
}

function readKmsgLine(line: string) {
  const record = parseRecord(line)
  return record === undefined ? undefined : { line: record.atMs, text: record.text }
}
