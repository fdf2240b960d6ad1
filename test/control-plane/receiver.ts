/** Whom aggregators tell: a server beside the control plane that takes alerts and reports, and keeps what came. */
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { CONTROL_PLANE } from '../../bench/control-plane/control-plane.ts'
import { listenIn } from '../../bench/namespaces/listen.ts'
import type { Network } from '../../bench/namespaces/network.ts'

const PORT = 9098

/** Of the payload of Alertmanager's webhooks what is read here. */
export interface ToldAlert {
  /** Of the incident. */
  readonly groupKey: string
  readonly status: 'firing' | 'resolved'
  readonly commonLabels: Readonly<Record<string, string>>
}

/** Of a report's webhook what is read here. */
export interface ToldReport {
  readonly id: string
  /** RFC 3339, UTC. */
  readonly due: string
}

export class Receiver {
  /** In the order in which they came. */
  readonly alerts: ToldAlert[] = []
  readonly reports: ToldReport[] = []
  readonly #door: Server
  readonly #http: HttpServer

  private constructor(door: Server) {
    this.#door = door
    this.#http = createServer((request, response) => {
      void this.#take(request).finally(() => response.end())
    })
    door.on('connection', (socket) => this.#http.emit('connection', socket))
  }

  static async start(network: Network): Promise<Receiver> {
    return new Receiver(await listenIn(network.on(CONTROL_PLANE.name), PORT))
  }

  /** For the aggregators' configuration. */
  static urlOf(what: 'alerts' | 'reports'): string {
    return `http://${CONTROL_PLANE.address}:${PORT}/${what}`
  }

  forget(): void {
    this.alerts.length = 0
    this.reports.length = 0
  }

  stop(): void {
    this.#door.close()
    this.#http.closeAllConnections()
  }

  async #take(request: IncomingMessage): Promise<void> {
    const body: unknown = JSON.parse(await text(request))
    if (request.url === '/alerts') this.alerts.push(body as ToldAlert)
    else this.reports.push(body as ToldReport)
  }
}
