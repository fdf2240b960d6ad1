/** The files of an outbox: a folder of segments that are only ever written at their end, or removed. */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { frameOf, framesIn } from './frames.ts'

const SUFFIX = '.log'

export interface ReadSegment {
  readonly first: number
  readonly records: readonly Uint8Array[]
  readonly bytes: number
}

export class OutboxFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** What the outbox is called; undefined when there is none yet. Throws what the file system says. */
  name(): string | undefined {
    return existsSync(this.#nameFile) ? readFileSync(this.#nameFile, 'utf8').trim() : undefined
  }

  /** Begins an outbox, for its owner alone; what another left in the folder goes. Throws what the file system says. */
  begin(name: string): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    // First the name: one that stayed without its segments would begin at places that it has given.
    rmSync(this.#nameFile, { force: true })
    for (const first of this.#firsts()) this.remove(first)
    writeFileSync(this.#nameFile, `${name}\n`, { mode: 0o600 })
  }

  /** All segments, oldest first, without what a crash left half written, or the disk has damaged. */
  *segments(): Generator<ReadSegment> {
    for (const first of this.#firsts()) {
      const { frames, wholeBytes } = framesIn(readFileSync(this.#file(first)))
      yield { first, records: frames, bytes: wholeBytes }
    }
  }

  records(first: number): readonly Uint8Array[] {
    return framesIn(readFileSync(this.#file(first))).frames
  }

  /**
   * Writes at the end of a segment of which `bytes` are whole; what is behind them goes. Answers how long it is then. Throws
   * having added nothing.
   */
  append(first: number, bytes: number, record: Uint8Array): number {
    const descriptor = openSync(this.#file(first), 'a', 0o600)
    const frame = frameOf(record)
    try {
      ftruncateSync(descriptor, bytes)
      for (let written = 0; written < frame.length; ) written += writeSync(descriptor, frame, written)
      return bytes + frame.length
    } catch (error) {
      ftruncateSync(descriptor, bytes)
      throw error
    } finally {
      closeSync(descriptor)
    }
  }

  remove(first: number): void {
    rmSync(this.#file(first), { force: true })
  }

  get #nameFile(): string {
    return join(this.#folder, 'id')
  }

  #firsts(): readonly number[] {
    if (!existsSync(this.#folder)) return []
    return readdirSync(this.#folder)
      .filter((file) => /^\d{16}\.log$/.test(file))
      .map((file) => Number(file.slice(0, -SUFFIX.length)))
      .toSorted((a, b) => a - b)
  }

  #file(first: number): string {
    return join(this.#folder, `${String(first).padStart(16, '0')}${SUFFIX}`)
  }
}
