/**
 * Follows a log file by its path. A file keeps what is written to it, so it is read when somebody looks: the rest of the
 * file that was open, and when another has taken its place, as after a rotation, that one from its beginning.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { NotApplicable } from '../host/port.ts'
import type { Follower } from './follower.ts'
import { LINE_LENGTH_MAX } from './matcher.ts'
import { monotonicMs, type ReadLogLine, type Sink } from './sink.ts'
import { timeOf } from './times.ts'

const CHUNK_BYTES = 256 * 1024
/** Of a file that is seen for the first time, when its lines say when they were written. */
const HISTORY_BYTES = 1024 * 1024
/** Between two looks; what is more is not looked at, and said to be lost. */
const LOOK_BYTES_MAX = 64 * 1024 * 1024

interface Opened {
  readonly handle: FileHandle
  readonly device: number
  readonly inode: number
  offset: number
  /** The beginning of a line whose end has not been written yet. */
  rest: Buffer
}

export class FileFollower implements Follower {
  readonly #path: string
  /** Where it is found here, below the root that the host is mounted at. */
  readonly #located: string
  readonly #sink: Sink
  readonly #read: ReadLogLine
  readonly #hasTimes: boolean
  #opened: Opened | undefined
  #wasSeen = false
  #closed = false

  /** `timestamp`: matches the part of a line that says when it was written, in a form that `timeOf` knows. */
  constructor(path: string, located: string, timestamp: string | undefined, sink: Sink) {
    this.#path = path
    this.#located = located
    this.#sink = sink
    this.#hasTimes = timestamp !== undefined
    this.#read = lineReader(timestamp)
  }

  async catchUp(signal: AbortSignal): Promise<void> {
    this.#opened ??= await this.#open()
    const before = this.#opened
    await this.#readRest(before, signal)
    if (await this.#isReplaced(before)) {
      const { handle, rest } = before
      this.#opened = undefined
      await handle.close()
      if (rest.length > 0) this.#give(Buffer.concat([rest, NEWLINE]))
      this.#opened = await this.#open()
      await this.#readRest(this.#opened, signal)
    }
  }

  /** One that is being opened is closed as soon as it is. */
  close(): void {
    this.#closed = true
    void this.#opened?.handle.close()
    this.#opened = undefined
  }

  /** Throws NotApplicable when there is no such file. */
  async #open(): Promise<Opened> {
    try {
      const handle = await open(this.#located, constants.O_RDONLY | constants.O_NONBLOCK)
      const about = await handle.stat()
      if (this.#closed || !about.isFile()) {
        await handle.close()
        throw new Error(`${this.#path} is ${this.#closed ? 'no longer followed' : 'no file'}`)
      }
      const history = this.#hasTimes ? HISTORY_BYTES : 0
      const offset = this.#wasSeen ? 0 : Math.max(0, about.size - history)
      this.#wasSeen = true
      return { handle, device: about.dev, inode: about.ino, offset, rest: Buffer.alloc(0) }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') throw new NotApplicable(`${this.#path} does not exist on this host`)
      throw code === undefined ? error : new Error(`${this.#path} cannot be read: ${code}`)
    }
  }

  /** False also when nothing is at its path yet: then what was there goes on being read. */
  async #isReplaced({ device, inode }: Opened): Promise<boolean> {
    const about = await stat(this.#located).catch(() => undefined)
    return about !== undefined && (about.dev !== device || about.ino !== inode)
  }

  async #readRest(opened: Opened, signal: AbortSignal): Promise<void> {
    const { size } = await opened.handle.stat()
    if (size < opened.offset) {
      this.#sink.lose(`${this.#path} was cut off, and what it held may not all have been read`)
      opened.offset = 0
      opened.rest = Buffer.alloc(0)
    }
    if (size - opened.offset > LOOK_BYTES_MAX) {
      this.#sink.lose(`${this.#path} grew by ${size - opened.offset} bytes since the last look`)
      opened.offset = size - HISTORY_BYTES
      opened.rest = Buffer.alloc(0)
    }
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await opened.handle.read(chunk, 0, CHUNK_BYTES, opened.offset)
      if (bytesRead === 0) return
      opened.offset += bytesRead
      this.#take(opened, Buffer.from(chunk.subarray(0, bytesRead)))
    }
  }

  #take(opened: Opened, bytes: Buffer): void {
    const end = bytes.lastIndexOf(10) + 1
    if (end > 0) this.#give(Buffer.concat([opened.rest, bytes.subarray(0, end)]))
    const rest = end > 0 ? bytes.subarray(end) : Buffer.concat([opened.rest, bytes])
    // Of a long line only the beginning is looked at.
    opened.rest = rest.subarray(0, LINE_LENGTH_MAX)
  }

  #give(lines: Buffer): void {
    this.#sink.take(lines.toString('utf8'), this.#read)
  }
}

const NEWLINE = Buffer.from('\n')

function lineReader(timestamp: string | undefined): ReadLogLine {
  if (timestamp === undefined) return (text) => ({ line: undefined, text })
  const expression = new RegExp(timestamp)
  return (text) => {
    const written = timeOf(expression.exec(text.slice(0, LINE_LENGTH_MAX))?.[0] ?? '', Date.now())
    return { line: written === undefined ? undefined : monotonicMs() - (Date.now() - written), text }
  }
}
