/** The memories of the two aggregators of a stage: whom they tell while a test runs, what people decide, what is on disk. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import type { Event, StoredEvent } from '../../aggregator/model.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import type { Aggregator } from '../../bench/namespaces/mesh.ts'
import { SOURCE } from '../../bench/program.ts'

const runFile = promisify(execFile)

/** What the API gives at once. */
const PAGE = 1_000
const ANSWER_WITHIN_MS = 20_000

interface Decided {
  readonly event: Event
  readonly singleCopy?: true
}

export class Remembering {
  readonly #stage: ControlPlaneStage
  readonly #configs = new Map<string, string>()

  constructor(stage: ControlPlaneStage) {
    this.#stage = stage
  }

  /** Their files get these keys, too; for processes that start from now on. */
  configure(keys: object): void {
    for (const { name } of this.#both) {
      const file = this.#fileOf(name, 'config.yaml')
      const before = readFileSync(file, 'utf8')
      this.#configs.set(file, before)
      writeFileSync(file, stringify({ ...parse(before), ...keys }))
    }
  }

  /** Their files are as they were. */
  restore(): void {
    for (const [file, before] of this.#configs) writeFileSync(file, before)
  }

  get #both(): readonly Aggregator[] {
    return this.#stage.mesh.aggregators.slice(0, 2)
  }

  get token(): string {
    return readFileSync(join(this.#stage.network.dir, 'token'), 'utf8').trim()
  }

  /** The newest of what it has on record, oldest first. */
  async events({ client }: Aggregator): Promise<readonly StoredEvent[]> {
    return await client.events({ limit: PAGE })
  }

  async ids(aggregator: Aggregator): Promise<ReadonlySet<string>> {
    return new Set((await this.events(aggregator)).map(({ id }) => id))
  }

  async untilHasAll(aggregator: Aggregator, ids: Iterable<string>): Promise<void> {
    await this.#stage.cluster.until(`${aggregator.name} has all`, async () => {
      const known = await this.ids(aggregator)
      return [...ids].every((id) => known.has(id))
    })
  }

  /** What it has put on record, the other has, too. */
  async untilCopied({ name, client }: Aggregator): Promise<void> {
    await this.#stage.cluster.until(`what ${name} has is copied`, async () => {
      const { copies } = await client.state()
      return copies !== null && copies.others.length > 0 && copies.behind === 0 && !copies.isSingle
    })
  }

  /**
   * A decision by the API that was acknowledged: made again while the answer says that it is on one disk alone, as on a busy
   * machine it may be. `body`: of each attempt. Gives the event that it became.
   */
  async decide({ name, gate }: Aggregator, path: string, body: () => object): Promise<Event> {
    return await this.#stage.cluster.until(`${name} acknowledges ${path}`, async () => {
      const answer = await fetch(`http://127.0.0.1:${gate.port}/api/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body()),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
      const { event, singleCopy } = (await answer.json()) as Decided
      return singleCopy === undefined && event
    })
  }

  /** The disk of one that does not run: whatever it has ever put on record. */
  wipe({ name }: Aggregator): void {
    for (const part of ['', '-wal', '-shm']) rmSync(this.#fileOf(name, `history.sqlite${part}`), { force: true })
  }

  /** What `starling audit verify` says of its file. Rejects when it does not hold. */
  async verify({ name }: Aggregator): Promise<string> {
    const { dir } = this.#stage.network
    const trust = ['--mesh', 'namespaces', '--roster', this.#fileOf(name, 'roster'), '--ca', join(dir, 'ca.pem')]
    const args = [SOURCE, 'audit', 'verify', '--store', this.#fileOf(name, 'history.sqlite'), ...trust]
    return (await runFile(process.execPath, args)).stdout
  }

  #fileOf(aggregator: string, file: string): string {
    return join(this.#stage.network.dir, aggregator, file)
  }
}
