/** How dockerd keeps the logs of containers: by the flags that it was started with, and its daemon.json. */
import { messageOf } from '../../common/errors.ts'
import { type Host, NotApplicable } from '../contract.ts'
import { flagOf } from './flags.ts'
import { commandLineOf } from './processes.ts'

/** Written by a dockerd when it starts, unless it is told another place (--pidfile). */
export const DOCKER_PID = '/run/docker.pid'
export const DAEMON_JSON = '/etc/docker/daemon.json'
/** A value of it that stands for no limit, and is the default of the driver json-file. */
const ENDLESS = '-1'

export type DaemonJson = Readonly<Record<string, unknown>>

export interface DockerLogs {
  readonly driver: string
  /** As `10m`; undefined when a log may grow for ever. Drivers other than json-file bound theirs, or keep no files. */
  readonly maxSize: string | undefined
}

/**
 * The words of the command line of the host's own dockerd, not of one in a container; undefined when none runs here. Throws an
 * Error when that cannot be seen.
 */
export async function dockerdWords(host: Host): Promise<readonly string[] | undefined> {
  let id: number
  try {
    id = await host.readInt(DOCKER_PID)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
  const words = await commandLineOf(host, String(id))
  // The file of one that was killed names a number that another process may have now.
  return words[0]?.split('/').at(-1) === 'dockerd' ? words : undefined
}

/** Throws an Error that says what is wrong with it; dockerd refuses to start with anything but an object in plain JSON. */
export function parseDaemonJson(text: string): DaemonJson {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`${DAEMON_JSON} is no valid JSON, which knows no comments: ${messageOf(error)}`)
  }
  if (!isObject(value)) throw new Error(`${DAEMON_JSON} holds no object`)
  return value
}

/** Flags take the place of the file: dockerd does not start with a setting in both. */
export function dockerLogs(words: readonly string[], config: DaemonJson): DockerLogs {
  const driver = flagOf(words, 'log-driver') ?? String(config['log-driver'] ?? 'json-file')
  const options = isObject(config['log-opts']) ? config['log-opts'] : {}
  const maxSize = logFlags(words).get('max-size') ?? options['max-size']
  const isEndless = driver === 'json-file' && (maxSize === undefined || maxSize === ENDLESS)
  return { driver, maxSize: isEndless ? undefined : String(maxSize ?? 'of the driver') }
}

/** What `--log-opt NAME=VALUE`, which may be given several times, says by name. */
export function logFlags(words: readonly string[]): ReadonlyMap<string, string> {
  const given = words.flatMap((word, index) => {
    if (word === '--log-opt') return words[index + 1] ?? []
    return /^--log-opt=(.*)$/s.exec(word)?.[1] ?? []
  })
  return new Map(given.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]))
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
