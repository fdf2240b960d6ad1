/** Prometheus as Debian ships it, with our own rules, scraping what a test names. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HttpServerProcess } from './http-server-process.ts'
import { freePort } from './mesh/sockets.ts'
import { type Missing, needsProgram } from './real-part.ts'

const PROGRAM = 'prometheus'
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
  readonly #process: HttpServerProcess

  private constructor(process: HttpServerProcess, url: string) {
    this.#process = process
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
    const address = `127.0.0.1:${await freePort('127.0.0.1')}`
    const where = [`--config.file=${folder}/config.yaml`, `--storage.tsdb.path=${folder}/data`]
    const url = `http://${address}`
    const args = [...where, `--web.listen-address=${address}`]
    return new Prometheus(await HttpServerProcess.start(PROGRAM, args, folder, url), url)
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

  stop(): Promise<void> {
    return this.#process.stop()
  }

  async #get<T>(what: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${what}`)
    if (!answer.ok) throw new Error(`Prometheus answers ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { data: T }).data
  }
}
