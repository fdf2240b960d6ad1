/** Prometheus' Alertmanager as Debian ships it, with alerts and silences as its API takes them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HttpServerProcess } from './http-server-process.ts'
import { freePort } from './mesh/sockets.ts'
import { type Missing, needsProgram } from './real-part.ts'

const PROGRAM = 'prometheus-alertmanager'
const HOUR_MS = 3_600_000
/** One that takes part in nothing: alerts named Inhibited count for nothing while one named Inhibiting fires. */
const CONFIG = `route: {receiver: nobody, group_wait: 0s, group_interval: 1s}
inhibit_rules: [{source_matchers: ['alertname = Inhibiting'], target_matchers: ['alertname = Inhibited']}]
`

/** Whom it tells. */
export interface Hook {
  readonly url: string
  readonly token: string
}

export function needsAlertmanager(): Missing {
  return needsProgram(PROGRAM)
}

export class Alertmanager {
  /** With a prefix of its routes. */
  readonly url: string
  readonly #process: HttpServerProcess

  private constructor(process: HttpServerProcess, url: string) {
    this.#process = process
    this.url = url
  }

  /** Resolves when it answers. Without a hook it tells nobody. */
  static async start(hook?: Hook): Promise<Alertmanager> {
    const folder = mkdtempSync(join(tmpdir(), 'starling-alerts-'))
    writeFileSync(join(folder, 'config.yaml'), `${CONFIG}receivers: [${receiver(hook)}]\n`)
    const address = `127.0.0.1:${await freePort('127.0.0.1')}`
    const where = [`--config.file=${folder}/config.yaml`, `--storage.path=${folder}/data`]
    // Without the second it looks for others on all interfaces.
    const listen = [`--web.listen-address=${address}`, '--cluster.listen-address=', '--web.route-prefix=/prefix']
    const url = `http://${address}/prefix`
    return new Alertmanager(await HttpServerProcess.start(PROGRAM, [...where, ...listen], folder, url), url)
  }

  /** As `amtool` prints it. */
  tool(...args: readonly string[]): string {
    return execFileSync('amtool', [`--alertmanager.url=${this.url}`, ...args], { encoding: 'utf8' })
  }

  /** Alerts with these labels. */
  async push(...labels: readonly Readonly<Record<string, string>>[]): Promise<void> {
    await this.#post(
      'alerts',
      labels.map((one) => ({ labels: one })),
    )
  }

  async fire(...names: readonly string[]): Promise<void> {
    await this.#post(
      'alerts',
      names.map((alertname) => ({ labels: { alertname } })),
    )
  }

  async resolve(...names: readonly string[]): Promise<void> {
    const endsAt = new Date().toISOString()
    await this.#post(
      'alerts',
      names.map((alertname) => ({ labels: { alertname }, endsAt })),
    )
  }

  async silence(name: string): Promise<void> {
    const [startsAt, endsAt] = [0, HOUR_MS].map((ms) => new Date(Date.now() + ms).toISOString())
    const matchers = [{ name: 'alertname', value: name, isRegex: false, isEqual: true }]
    await this.#post('silences', { matchers, startsAt, endsAt, createdBy: 'a test', comment: 'it is known' })
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }

  async #post(what: 'alerts' | 'silences', body: object): Promise<void> {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${this.url}/api/v2/${what}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`Alertmanager answers ${answer.status}: ${await answer.text()}`)
  }
}

function receiver(hook: Hook | undefined): string {
  if (hook === undefined) return '{name: nobody}'
  const { url, token } = hook
  const http = `http_config: {authorization: {credentials: ${token}}}`
  return `{name: nobody, webhook_configs: [{url: '${url}', ${http}}]}`
}
