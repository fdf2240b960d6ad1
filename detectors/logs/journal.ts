/**
 * Follows the journal of systemd by a journalctl that is kept running. One that ends is started again, later each time, and
 * goes on after the last line that was read.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Follower } from './follower.ts'
import { monotonicMs, type Sink } from './sink.ts'

const RESTART_FIRST_MS = 1_000
const RESTART_MAX_MS = 60_000
/** One that has run for so long reads: it may have nothing to say, as a unit that is quiet. What is no good ends at once. */
const RUNS_MS = 5_000
/** A message can be megabytes; one line of JSON that is longer is passed over. */
const LINE_BYTES_MAX = 1024 * 1024
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

export class JournalFollower implements Follower {
  readonly #program: string
  readonly #fields: readonly string[]
  readonly #holdMs: number
  readonly #sink: Sink
  readonly #way: readonly string[]
  #child: ChildProcessByStdio<null, Readable, Readable> | undefined
  #restart: NodeJS.Timeout | undefined
  #runs: NodeJS.Timeout | undefined
  #restartMs = RESTART_FIRST_MS
  #cursor: string | undefined
  #rest = ''
  #isLong = false
  #ended: string | undefined
  #closed = false

  /** `fields`: those that an entry must have, as in `_SYSTEMD_UNIT=kubelet.service`. `holdMs`: how far back it begins. `way`: words before the command. */
  constructor(program: string, fields: readonly string[], holdMs: number, sink: Sink, way: readonly string[] = []) {
    this.#program = program
    this.#fields = fields
    this.#holdMs = holdMs
    this.#sink = sink
    this.#way = way
    this.#start()
  }

  async catchUp(): Promise<void> {
    if (this.#ended !== undefined) throw new Error(`${this.#program} ended: ${this.#ended}`)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#restart)
    clearTimeout(this.#runs)
    this.#child?.kill('SIGKILL')
    process.off('exit', this.#endChild)
  }

  readonly #endChild = (): void => {
    this.#child?.kill('SIGKILL')
  }

  #start(): void {
    const from =
      this.#cursor === undefined ? `--since=-${Math.ceil(this.#holdMs / 1_000)}s` : `--after-cursor=${this.#cursor}`
    const args = ['--follow', '--output=json', '--output-fields=MESSAGE', '--no-pager', '--quiet', '--lines=all', from]
    const [first = '', ...words] = [...this.#way, this.#program, ...args, ...this.#fields]
    const child = spawn(first, words, {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#runs = setTimeout(() => {
      this.#ended = undefined
    }, RUNS_MS).unref()
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, 200)
    })
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk))
    child.once('error', (error) => this.#end(error.message))
    child.once('close', (code, by) => this.#end(complaint.trim() || `${by ?? `exit code ${code}`}`))
    process.off('exit', this.#endChild).on('exit', this.#endChild)
  }

  #end(why: string): void {
    if (this.#closed) return
    this.#ended = why
    this.#rest = ''
    clearTimeout(this.#runs)
    clearTimeout(this.#restart)
    this.#restart = setTimeout(() => this.#start(), this.#restartMs).unref()
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS)
  }

  #take(chunk: string): void {
    this.#ended = undefined
    this.#restartMs = RESTART_FIRST_MS
    const end = chunk.lastIndexOf('\n') + 1
    if (end === 0) {
      this.#keep(this.#rest + chunk)
      return
    }
    const lines = this.#isLong ? chunk.slice(chunk.indexOf('\n') + 1, end) : this.#rest + chunk.slice(0, end)
    this.#isLong = false
    this.#keep(chunk.slice(end))
    if (lines === '') return
    this.#cursor = readEntry(lines.slice(lines.lastIndexOf('\n', lines.length - 2) + 1))?.cursor ?? this.#cursor
    this.#sink.take(lines, (line) => {
      const entry = readEntry(line)
      return entry === undefined ? undefined : { line: entry.atMs, text: entry.text }
    })
  }

  #keep(rest: string): void {
    if (rest.length > LINE_BYTES_MAX && !this.#isLong) this.#sink.lose('an entry of the journal is over 1 MiB')
    this.#isLong ||= rest.length > LINE_BYTES_MAX
    this.#rest = this.#isLong ? '' : rest
  }
}

/** One entry of journalctl's JSON output; undefined for what is none. A message that is no text is a list of bytes. */
function readEntry(line: string): { cursor: string; atMs: number; text: string } | undefined {
  try {
    const { __CURSOR, __REALTIME_TIMESTAMP, MESSAGE } = JSON.parse(line) as Record<string, unknown>
    const text = Array.isArray(MESSAGE) ? Buffer.from(MESSAGE as number[]).toString() : String(MESSAGE ?? '')
    const atMs = monotonicMs() - (Date.now() - Number(__REALTIME_TIMESTAMP) / 1_000)
    return { cursor: String(__CURSOR), atMs, text }
  } catch {
    return undefined
  }
}
