/** Prometheus as Debian ships it, with our own rules, scraping what a test names. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Missing, needsProgram } from './real-part.ts'

const PROGRAM = 'prometheus'
const READY_WITHIN_MS = 60_000
/** How often it scrapes and judges. */
const INTERVAL_S = 1

export interface RuleGroup {
  readonly name: string
  readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[]
}

export interface FiredAlert {
  readonly state: 'pending' | 'firing'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export function needsPrometheus(): Missing {
  return needsProgram(PROGRAM)
}

/** What `promtool` says of it; throws with its words when that is no good. */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync('promtool', args, { input, encoding: 'utf8', stdio: 'pipe' })
}

export class Prometheus {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child
    this.#folder = folder
    this.url = url
  }

  /** Scrapes `target`, as `127.0.0.1:7780`, and judges by the rules in `rules`. Resolves when it answers. */
  static async start(target: string, rules: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'starling-prometheus-'))
    copyFileSync(rules, join(folder, 'rules.yaml'))
    const every = `scrape_interval: ${INTERVAL_S}s, evaluation_interval: ${INTERVAL_S}s`
    const jobs = `[{job_name: starling-aggregator, static_configs: [{targets: ['${target}']}]}]`
    writeFileSync(
      join(folder, 'config.yaml'),
      `global: {${every}}\nrule_files: [rules.yaml]\nscrape_configs: ${jobs}\n`,
    )
    const address = `127.0.0.1:${await freePort()}`
    const where = [`--config.file=${folder}/config.yaml`, `--storage.tsdb.path=${folder}/data`]
    const child = spawn(PROGRAM, [...where, `--web.listen-address=${address}`], { stdio: 'ignore' })
    const prometheus = new Prometheus(child, folder, `http://${address}`)
    try {
      await prometheus.#untilReady()
      return prometheus
    } catch (error) {
      await prometheus.stop()
      throw error
    }
  }

  async ruleGroups(): Promise<readonly RuleGroup[]> {
    return (await this.#get<{ groups: RuleGroup[] }>('rules')).groups
  }

  async alerts(): Promise<readonly FiredAlert[]> {
    return (await this.#get<{ alerts: FiredAlert[] }>('alerts')).alerts
  }

  /** By labels, as JSON, the value of each series. */
  async query(expression: string): Promise<readonly { readonly metric: object; readonly value: string }[]> {
    const { result } = await this.#get<{ result: { metric: object; value: [number, string] }[] }>(
      `query?${new URLSearchParams({ query: expression })}`,
    )
    return result.map(({ metric, value }) => ({ metric, value: value[1] }))
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await gone
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #get<T>(what: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${what}`)
    if (!answer.ok) throw new Error(`Prometheus answers ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { data: T }).data
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS
    for (;;) {
      const isReady = await fetch(`${this.url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (isReady) return
      if (this.#child.exitCode !== null) throw new Error(`${PROGRAM} ended with code ${this.#child.exitCode}`)
      if (performance.now() > deadline) throw new Error(`${PROGRAM} is not ready`)
      await wait(50)
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
