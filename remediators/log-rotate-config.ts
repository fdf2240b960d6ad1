/**
 * Bounds the logs that Docker keeps of containers: log-opts in its daemon.json. Merged into what the file says, with the old one
 * beside it. dockerd is never restarted for it: the bound holds for containers that are made after its next start.
 */
import { z } from 'zod'
import { type Host, NotApplicable } from '../detectors/contract.ts'
import {
  DAEMON_JSON,
  type DaemonJson,
  DOCKER_PID,
  dockerdWords,
  dockerLogs,
  isObject,
  logFlags,
  parseDaemonJson,
} from '../detectors/reading/docker-logs.ts'
import { flagOf } from '../detectors/reading/flags.ts'
import { type Change, type Control, defineRemediator, type Plan, StalePlan } from './contract.ts'

const FOLDER = '/etc/docker'
/** What the file was before. It stays there for people after the fix, until the next one. */
const BACKUP = `${DAEMON_JSON}.before-starling`
const NOT_SET = '(not set)'
/** Of a change, since a person must know it when they decide. */
const WHEN = `in ${DAEMON_JSON}, for containers made after the next start of dockerd`
const KEYS = ['max-size', 'max-file'] as const

interface Seen {
  readonly isFile: boolean
  /** By name; what is not set is not there. */
  readonly set: Readonly<Record<string, string>>
}

export const logRotateConfig = defineRemediator({
  name: 'log-rotate-config',
  summary: 'Bounds the logs that Docker keeps of containers, for those made after its next start.',
  handles: ['DockerLogsUnbounded'],
  reach: 'none',
  risk: 'low',
  reversible: true,
  touches: { paths: [DOCKER_PID, '/proc/*/cmdline', DAEMON_JSON, BACKUP], writes: [DAEMON_JSON, BACKUP] },
  options: z.strictObject({
    maxSize: z
      .string()
      .regex(/^[1-9]\d{0,3}[mg]$/, 'must be a number and m or g, as in 100m')
      .default('100m')
      .describe('How large a log may become before the next is begun: max-size of the driver json-file.'),
    maxFile: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe('How many files are kept of each log; a number that is set already is left as it is.'),
  }),

  async inspect(host, _finding, _options, signal): Promise<Seen> {
    signal.throwIfAborted()
    const words = await dockerdWords(host)
    if (words === undefined) throw new Error('no dockerd runs, so what it is started with cannot be seen')
    refuseFlags(words)
    const text = await readOrNothing(host, DAEMON_JSON)
    if (text === undefined && !(await host.exists(FOLDER))) throw new Error(`there is no folder ${FOLDER}`)
    const config = text === undefined ? {} : readForMerging(text)
    const { driver, maxSize } = dockerLogs(words, config)
    if (maxSize !== undefined) throw new NotApplicable(`logs of the driver ${driver} have a bound: ${maxSize}`)
    return { isFile: text !== undefined, set: optionsIn(config) }
  },

  plan(_finding, { maxSize, maxFile }, { isFile, set }) {
    const undo = isFile ? `mv ${BACKUP} ${DAEMON_JSON}` : `rm ${DAEMON_JSON}`
    const change = (key: (typeof KEYS)[number], after: string): Change => ({
      what: `log-opts.${key} ${WHEN}`,
      before: set[key] ?? NOT_SET,
      after,
      undo,
    })
    return [
      change('max-size', maxSize),
      ...(set['max-file'] === undefined ? [change('max-file', String(maxFile))] : []),
    ]
  },

  async apply({ changes }, { host, replaceFile }, signal) {
    signal.throwIfAborted()
    const text = await readOrNothing(host, DAEMON_JSON)
    const set = optionsIn(text === undefined ? {} : readForMerging(text))
    const pending = changes.filter((change) => {
      const current = set[keyOf(change)] ?? NOT_SET
      if (current === change.after) return false
      if (current === change.before) return true
      throw new StalePlan(`${change.what} is ${current}, and the plan was made for ${change.before}`)
    })
    if (pending.length === 0) return
    signal.throwIfAborted()
    await replaceFile(BACKUP, text ?? null)
    await replaceFile(DAEMON_JSON, merged(text, changes, 'after'))
  },

  async revert(plan, control, signal) {
    signal.throwIfAborted()
    await putBack(plan, control)
  },
})

/** dockerd does not start with a setting that is both a flag and in the file, and not at all with a file that is elsewhere. */
function refuseFlags(words: readonly string[]): void {
  const file = flagOf(words, 'config-file') ?? DAEMON_JSON
  if (file !== DAEMON_JSON) throw new Error(`dockerd is configured by ${file}, which is not touched from here`)
  const isGiven = flagOf(words, 'log-driver') !== undefined || logFlags(words).size > 0
  if (isGiven) throw new Error('dockerd is started with flags for logs, and would not start with the same in its file')
}

/** Throws an Error that says why the file is not one that can be read, changed and written without losing something. */
function readForMerging(text: string): DaemonJson {
  const config = parseDaemonJson(text)
  const withoutBlanks = text.replace(/("(?:[^"\\]|\\.)*")|\s+/gs, (_, kept: string | undefined) => kept ?? '')
  if (JSON.stringify(config) !== withoutBlanks) {
    throw new Error(`${DAEMON_JSON} would not be the same written again, as with a key that is there twice`)
  }
  return config
}

/** Throws an Error when one is not of the form that dockerd takes. */
function optionsIn(config: DaemonJson): Readonly<Record<string, string>> {
  const given = config['log-opts'] ?? {}
  if (!isObject(given)) throw new Error(`log-opts in ${DAEMON_JSON} is no object`)
  return Object.fromEntries(
    KEYS.flatMap((key) => {
      const value = given[key]
      if (value === undefined) return []
      if (typeof value !== 'string')
        throw new Error(`log-opts.${key} in ${DAEMON_JSON} is no text, as dockerd wants it`)
      return [[key, value]]
    }),
  )
}

/** The text of the file with what `changes` say, laid out as it was. */
function merged(text: string | undefined, changes: readonly Change[], side: 'before' | 'after'): string {
  const config = text === undefined ? {} : readForMerging(text)
  const options = { ...(isObject(config['log-opts']) ? config['log-opts'] : {}) }
  for (const change of changes) {
    if (change[side] === NOT_SET) delete options[keyOf(change)]
    else options[keyOf(change)] = change[side]
  }
  const indent = /^([ \t]+)"/m.exec(text ?? '')?.[1] ?? '  '
  const end = text === undefined || text.endsWith('\n') ? '\n' : ''
  return `${JSON.stringify({ ...config, 'log-opts': options }, null, indent)}${end}`
}

/** The very file of before, or, where somebody has changed something else of it since, that without what we set. */
async function putBack({ changes }: Plan, { host, replaceFile }: Control): Promise<void> {
  const text = await readOrNothing(host, DAEMON_JSON)
  const before = await readOrNothing(host, BACKUP)
  const isUntouched = text === before
  if (!isUntouched && text !== undefined) {
    const set = optionsIn(readForMerging(text))
    const isOurs = changes.some((change) => set[keyOf(change)] === change.after)
    if (!isOurs) return
    const isAlone = text === merged(before, changes, 'after')
    await replaceFile(DAEMON_JSON, isAlone ? (before ?? null) : merged(text, changes, 'before'))
  }
  if (before !== undefined) await replaceFile(BACKUP, null)
}

async function readOrNothing(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.readText(path)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

function keyOf({ what }: Change): string {
  return what.slice('log-opts.'.length, what.indexOf(' '))
}
