/**
 * Is logging at the level that it should be? Too much slows a node, above all on a serial console, and pushes what matters
 * out of the logs; too little leaves nothing to find a fault by.
 */
import { z } from 'zod'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { DaemonFinder, whyNotRunning } from './reading/daemons.ts'
import {
  DAEMON_JSON,
  type DaemonJson,
  DOCKER_PID,
  type DockerLogs,
  dockerdWords,
  dockerLogs,
  parseDaemonJson,
} from './reading/docker-logs.ts'
import { failureCode } from './reading/failure.ts'
import { withheld } from './reading/privilege.ts'
import { type CatchAll, catchAllRules, journalSettings, LEVELS, levelOf } from './reading/syslog-config.ts'

/** Four numbers, the first is the level of the console: messages below it are printed. Documentation/admin-guide/sysctl/kernel.rst */
const PRINTK = '/proc/sys/kernel/printk'
/** Y: everything is printed, whatever the level. */
const IGNORE_LOGLEVEL = '/sys/module/printk/parameters/ignore_loglevel'
const RSYSLOG = { config: '/etc/rsyslog.conf', folder: '/etc/rsyslog.d' }
const JOURNAL = 'systemd/journald.conf'
/** A file in a later one stands for that of the same name in an earlier one: systemd.unit(5), journald.conf(5). */
const JOURNAL_FOLDERS = ['/usr/lib', '/run', '/etc'].map((folder) => `${folder}/${JOURNAL}.d`)
const SYSTEMD = '/run/systemd/system'
const FILES_MAX = 64

/** Daemons, and what shows that a host is meant to run one. */
const DAEMONS = [
  { name: 'rsyslogd', program: '/usr/sbin/rsyslogd', config: RSYSLOG.config, unit: 'rsyslog.service' },
  {
    name: 'syslog-ng',
    program: '/usr/sbin/syslog-ng',
    config: '/etc/syslog-ng/syslog-ng.conf',
    unit: 'syslog-ng.service',
  },
] as const
const WANTS = '/etc/systemd/system/multi-user.target.wants'
const JOURNALD = 'systemd-journald'

/** Each looks first where it found its daemon before. */
const FINDERS = [JOURNALD, ...DAEMONS.map(({ name }) => name)].map((name) => ({ name, finder: new DaemonFinder() }))

const level = z.enum(LEVELS)

type Reason =
  | 'ConsoleTooVerbose'
  | 'ConsoleTooQuiet'
  | 'SyslogTooVerbose'
  | 'JournalDiffers'
  | 'DockerLogsUnbounded'
  | 'SyslogDown'

export const syslogLevel = defineDetector({
  name: 'syslog-level',
  summary: 'Whether console, syslog and journal are at the levels that are wanted, and their daemons run.',
  every: '5m',
  timeout: '10s',
  needs: [],
  touches: {
    paths: [
      PRINTK,
      IGNORE_LOGLEVEL,
      RSYSLOG.config,
      `${RSYSLOG.folder}/*.conf`,
      `/etc/${JOURNAL}`,
      ...JOURNAL_FOLDERS.map((folder) => `${folder}/*.conf`),
      SYSTEMD,
      `${WANTS}/*`,
      ...DAEMONS.flatMap(({ program, config }) => [program, config]),
      '/proc/*/cmdline',
      '/proc/*/status',
      DOCKER_PID,
      DAEMON_JSON,
    ],
  },
  options: z.strictObject({
    console: z
      .strictObject({ min: z.int().min(0).max(15).default(1), max: z.int().min(0).max(15).default(7) })
      .refine(({ min, max }) => min <= max, 'min must not be above max')
      .prefault({})
      .describe(
        'Bounds of the first number of kernel.printk. 8 prints debugging too; 7 is the default of the kernel, 4 of quiet.',
      ),
    catchAllMax: level
      .default('debug')
      .describe(
        'The least urgent level that rules of rsyslog for all facilities may take. Debian and Ubuntu ship *.*, which is debug.',
      ),
    journalMin: level.default('info').describe('The journal must keep at least this level: MaxLevelStore.'),
    journalMax: level.default('debug').describe('And at most this one; debug is the default of journald.'),
    journalKept: z.boolean().default(true).describe('Whether Storage=none is a finding.'),
    journalLimited: z
      .boolean()
      .default(true)
      .describe(
        'Whether a journal without a limit of messages per service is a finding: RateLimitIntervalSec=0, RateLimitBurst=0.',
      ),
    dockerLimited: z
      .boolean()
      .default(true)
      .describe('Whether a dockerd that sets no limit to the logs of containers is a finding.'),
    daemons: z.boolean().default(true).describe('Whether a daemon that is installed, configured and enabled must run.'),
  }),
  reasons: {
    ConsoleTooVerbose: {
      severity: 'warn',
      summary:
        'The kernel prints too much on its console; while it writes to a slow one, a CPU of the node stands still.',
      sustain: '5m',
      runbook: 'syslog-level',
    },
    ConsoleTooQuiet: {
      severity: 'info',
      summary: 'The kernel prints less on its console than is wanted: what a crash says may be seen nowhere.',
      sustain: '5m',
      runbook: 'syslog-level',
    },
    SyslogTooVerbose: {
      severity: 'warn',
      summary: 'A rule of rsyslog takes more than is wanted: logs fill the disk, and what matters is hard to find.',
      sustain: '5m',
      runbook: 'syslog-level',
    },
    JournalDiffers: {
      severity: 'warn',
      summary: 'The journal keeps more or less than is wanted.',
      sustain: '5m',
      runbook: 'syslog-level',
    },
    DockerLogsUnbounded: {
      severity: 'warn',
      summary: 'Docker keeps the logs of containers without a limit: one that says much fills the disk.',
      sustain: '5m',
      runbook: 'syslog-level',
    },
    SyslogDown: {
      severity: 'warn',
      summary: 'A daemon for logs does not run, though it is configured: messages are lost.',
      // Longer than a restart for the rotation of logs.
      sustain: '1m',
      runbook: 'syslog-level',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    const printk = await host.readText(PRINTK)
    const consoleLevel = /^\s*(\d{1,3})\s/.exec(printk)?.[1]
    if (consoleLevel === undefined) throw new Error(`${PRINTK} does not begin with a number`)
    const ignored = (await textOf(host, IGNORE_LOGLEVEL))?.trim() === 'Y'
    return {
      consoleLevel: Number(consoleLevel),
      ignored,
      catchAlls: await rsyslogRules(host, signal),
      journal: [...(await journalOf(host, signal))],
      docker: await dockerOf(host),
      down: await daemonsDown(host, signal),
    }
  },

  judge({ consoleLevel, ignored, catchAlls, journal, docker, down }, options) {
    const tooMuch = LEVELS.indexOf(options.catchAllMax)
    return [
      ...judgeConsole(consoleLevel, ignored, options.console),
      ...catchAlls
        .filter((rule) => LEVELS.indexOf(rule.level) > tooMuch)
        .map(({ selector, action, level: taken }) => ({
          reason: 'SyslogTooVerbose' as const,
          cause: `${selector} ${action}`,
          summary: `1 rule of rsyslog, ${selector} ${action}, takes ${taken}; wanted is at most ${options.catchAllMax}`,
          evidence: [{ name: 'level', value: taken, limit: options.catchAllMax, unit: '' }],
        })),
      ...judgeJournal(new Map(journal), options),
      ...(options.dockerLimited ? judgeDocker(docker) : []),
      ...(options.daemons ? down : []).map(({ name, why }) => ({
        reason: 'SyslogDown' as const,
        cause: name,
        summary: `${name} is configured, but ${why}`,
        evidence: [{ name, value: 0, limit: 1, unit: 'processes' }],
      })),
    ]
  },
})

function judgeConsole(
  consoleLevel: number,
  ignored: boolean,
  { min, max }: { readonly min: number; readonly max: number },
): readonly Judgement<Reason>[] {
  const measure = { name: 'kernel.printk', value: consoleLevel, unit: 'level' }
  if (ignored || consoleLevel > max) {
    const why = ignored ? ', and ignore_loglevel makes it print everything' : ''
    const summary = `the level of the console is ${consoleLevel}${why}; wanted is at most ${max}`
    return [{ reason: 'ConsoleTooVerbose', summary, evidence: [{ ...measure, limit: max }] }]
  }
  if (consoleLevel >= min) return []
  const summary = `the level of the console is ${consoleLevel}; wanted is at least ${min}`
  return [{ reason: 'ConsoleTooQuiet', summary, evidence: [{ ...measure, limit: min }] }]
}

interface JournalWanted {
  readonly journalMin: (typeof LEVELS)[number]
  readonly journalMax: (typeof LEVELS)[number]
  readonly journalKept: boolean
  readonly journalLimited: boolean
}

function judgeJournal(settings: ReadonlyMap<string, string>, wanted: JournalWanted): readonly Judgement<Reason>[] {
  const differs = (key: string, limit: string): Judgement<Reason> => ({
    reason: 'JournalDiffers',
    cause: key,
    summary: `1 setting of journald, ${key}=${settings.get(key) ?? ''}, is not as wanted: ${limit}`,
    evidence: [{ name: key, value: settings.get(key) ?? '', limit, unit: '' }],
  })
  const stored = LEVELS.indexOf(levelOf(settings.get('MaxLevelStore') ?? '') ?? 'debug')
  const { journalMin, journalMax, journalKept, journalLimited } = wanted
  return [
    ...(stored < LEVELS.indexOf(journalMin) ? [differs('MaxLevelStore', `at least ${journalMin}`)] : []),
    ...(stored > LEVELS.indexOf(journalMax) ? [differs('MaxLevelStore', `at most ${journalMax}`)] : []),
    ...(journalKept && settings.get('Storage') === 'none' ? [differs('Storage', 'auto, persistent or volatile')] : []),
    ...['RateLimitIntervalSec', 'RateLimitInterval', 'RateLimitBurst']
      .filter((key) => journalLimited && /^0\D*$/.test(settings.get(key) ?? ''))
      .map((key) => differs(key, 'more than 0')),
  ]
}

function judgeDocker(docker: DockerLogs | undefined): readonly Judgement<Reason>[] {
  if (docker === undefined || docker.maxSize !== undefined) return []
  return [
    {
      reason: 'DockerLogsUnbounded',
      summary: `dockerd keeps 1 file per container by its driver ${docker.driver}, and log-opts sets no max-size`,
      evidence: [{ name: 'log-opts.max-size', value: 'not set', limit: 'a size', unit: '' }],
    },
  ]
}

/** Undefined without a dockerd, or when its configuration is kept to root or is none that dockerd would start with. */
async function dockerOf(host: Host): Promise<DockerLogs | undefined> {
  const words = await dockerdWords(host)
  if (words === undefined) return undefined
  let text: string
  try {
    text = await host.readText(DAEMON_JSON)
  } catch (error) {
    if (error instanceof NotApplicable) return dockerLogs(words, {})
    if (failureCode(error) === 'EACCES') return undefined
    throw error
  }
  const config = configOf(text)
  return config === undefined ? undefined : dockerLogs(words, config)
}

function configOf(text: string): DaemonJson | undefined {
  try {
    return parseDaemonJson(text)
  } catch {
    return undefined
  }
}

/** Undefined when there is no such file. */
async function textOf(host: Host, path: string): Promise<string | undefined> {
  return orNothing(host, path, host.readText(path))
}

async function namesIn(host: Host, folder: string): Promise<readonly string[]> {
  const names = (await orNothing(host, folder, host.list(folder))) ?? []
  return names.filter((name) => /^[^/\0]+\.conf$/.test(name)).slice(0, FILES_MAX)
}

/** Undefined for what is not there. Guides for hardening keep the files of rsyslog to root. */
async function orNothing<T>(host: Host, path: string, reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    throw code === 'EACCES' ? await withheld(host, `read ${path}`, error) : error
  }
}

async function rsyslogRules(host: Host, signal: AbortSignal): Promise<readonly CatchAll[]> {
  const paths = [RSYSLOG.config, ...(await namesIn(host, RSYSLOG.folder)).map((name) => `${RSYSLOG.folder}/${name}`)]
  const rules: CatchAll[] = []
  for (const path of paths) {
    signal.throwIfAborted()
    rules.push(...catchAllRules((await textOf(host, path)) ?? ''))
  }
  return rules
}

async function journalOf(host: Host, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const byName = new Map<string, string>()
  for (const folder of JOURNAL_FOLDERS) {
    for (const name of await namesIn(host, folder)) byName.set(name, `${folder}/${name}`)
  }
  const dropIns = [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? [])
  const texts: string[] = []
  for (const path of [`/etc/${JOURNAL}`, ...dropIns]) {
    signal.throwIfAborted()
    texts.push((await textOf(host, path)) ?? '')
  }
  return journalSettings(texts)
}

interface Down {
  readonly name: string
  readonly why: string
}

/** Those that are meant to run and do not. */
async function daemonsDown(host: Host, signal: AbortSignal): Promise<readonly Down[]> {
  const hasSystemd = await host.exists(SYSTEMD)
  const meant: string[] = hasSystemd ? [JOURNALD] : []
  for (const { name, program, config, unit } of DAEMONS) {
    // A package that was removed leaves its configuration; one that was disabled, its program too.
    const isInstalled = (await host.exists(program)) && (await host.exists(config))
    if (isInstalled && (!hasSystemd || (await isEnabled(host, unit)))) meant.push(name)
  }
  const down: Down[] = []
  for (const { name, finder } of FINDERS.filter((one) => meant.includes(one.name))) {
    const why = whyNotRunning(await finder.find(host, [name], signal), name)
    if (why !== undefined) down.push({ name, why })
  }
  return down
}

/** Its link leads out of what an agent in a container sees, so whether it is there is asked of the folder. */
async function isEnabled(host: Host, unit: string): Promise<boolean> {
  return ((await orNothing(host, WANTS, host.list(WANTS))) ?? []).includes(unit)
}
