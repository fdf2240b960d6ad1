/**
 * Which version of the kubelet runs here, and is it one that is wanted, or at least that of the pool? What runs, not what is
 * installed: an upgrade that forgot the restart leaves the old one running, with its program gone from the disk.
 */
import { z } from 'zod'
import { defineDetector, type Host, type Judgement, NotApplicable, Unreachable } from './contract.ts'
import { commandsOption, DaemonFinder, requireSign, signsOption } from './reading/daemons.ts'
import { failureCode } from './reading/failure.ts'
import { KUBELET_COMMANDS, KUBELET_SIGNS } from './reading/kubelet.ts'
import { oddity } from './reading/pool.ts'
import { withheld } from './reading/privilege.ts'
import { processStatusOf, startOf } from './reading/processes.ts'
import { prometheusSamples } from './reading/prometheus.ts'
import { compareVersions, isVersion } from './reading/version.ts'

/** The read-only port, which many turn off. */
const OPEN_URL = 'http://127.0.0.1:10255/metrics'
/** For those who hold a token with the right to read nodes/metrics. */
const GUARDED_URL = 'https://127.0.0.1:10250/metrics'
/** A kubelet with some hundred pods has about a megabyte of metrics. */
const METRICS_BYTES_MAX = 16 * 1024 * 1024
const BUILD_INFO = new Set(['kubernetes_build_info'])

const finder = new DaemonFinder()
/** What each kubelet was found to be, by process and start: a running program never changes its version. */
const known = new WeakMap<Host, { readonly life: string; readonly version: string }>()

const version = z.string().refine(isVersion, 'write a version, as in 1.28 or v1.28.2')

type VersionReason = 'KubeletVersionUnwanted' | 'KubeletUnusual' | 'KubeletNotRestarted'

export const kubeletVersion = defineDetector({
  name: 'kubelet-version',
  summary: 'Whether the kubelet that runs is of a version that is wanted, and of that of its pool.',
  every: '10m',
  timeout: '30s',
  needs: [],
  touches: {
    paths: ['/**'],
    commands: ['/proc/*/exe'],
    services: ['http://127.0.0.1:10255', 'https://127.0.0.1:10250'],
    peers: true,
  },
  options: z
    .strictObject({
      min: version.optional().describe('The oldest version that may run; 1.28 includes every 1.28.x.'),
      max: version.optional().describe('The newest version that may run; 1.28 includes every 1.28.x.'),
      allowed: z.array(version).max(32).default([]).describe('Versions of which one must run; empty: any.'),
      tokenFile: z
        .string()
        .startsWith('/', 'must be an absolute path')
        .optional()
        .describe('A file with a bearer token that may read https://127.0.0.1:10250/metrics.'),
      commands: commandsOption(KUBELET_COMMANDS, "the kubelet's"),
      signs: signsOption(KUBELET_SIGNS, 'a kubelet'),
    })
    .refine(
      ({ min, max }) =>
        min === undefined || max === undefined || !(isVersion(min) && isVersion(max)) || compareVersions(min, max) <= 0,
      'min must not be newer than max',
    ),
  reasons: {
    KubeletVersionUnwanted: {
      severity: 'warn',
      summary: 'The kubelet that runs is not of a version that this node is meant to have.',
      sustain: '0s',
      runbook: 'kubelet-version',
    },
    KubeletUnusual: {
      severity: 'warn',
      summary: 'The kubelet is of another version than at least four fifths of the nodes of the pool run.',
      // While a pool is upgraded node by node, its last fifth is odd until its turn comes; a drain takes minutes.
      sustain: '30m',
      runbook: 'kubelet-version',
    },
    KubeletNotRestarted: {
      severity: 'warn',
      summary:
        "The kubelet's program was replaced and the old one still runs: the upgrade takes effect at its next start.",
      // An upgrade replaces the program first and restarts it minutes later at most.
      sustain: '15m',
      runbook: 'kubelet-version',
    },
  },

  async sample(host, { commands, signs, tokenFile }, signal) {
    signal.throwIfAborted()
    await requireSign(host, signs, 'no kubelet was ever started here')
    const [kubelet] = (await finder.find(host, commands, signal)).found
    if (kubelet === undefined) throw new NotApplicable('the kubelet does not run, which kubelet-process reports')
    const { id } = kubelet
    const life = `${id} ${await startOf(host, id)}`
    const before = known.get(host)
    const version = before?.life === life ? before.version : await versionOf(host, id, tokenFile, signal)
    known.set(host, { life, version })
    const majority = host.majority('kubelet-version', version)
    return { version, id, replaced: await replacedProgram(host, id), majority }
  },

  judge({ version, id, replaced, majority }, { min, max, allowed }) {
    const judgements: Judgement<VersionReason>[] = []
    const unwanted = (wanted: string) =>
      judgements.push({
        reason: 'KubeletVersionUnwanted',
        summary: `the kubelet that runs is ${version}, wanted is ${wanted}`,
        evidence: [{ name: 'kubelet', value: version, limit: wanted, unit: '' }],
      })
    if (min !== undefined && compareVersions(version, min) < 0) unwanted(`${min} or newer`)
    else if (max !== undefined && compareVersions(version, max) > 0) unwanted(`${max} or older`)
    else if (allowed.length > 0 && !allowed.some((one) => compareVersions(version, one) === 0))
      unwanted(allowed.join(' or '))
    const odd = oddity('the kubelet', version, majority)
    // What is wanted was said by a person, and says more than what the others have.
    if (judgements.length === 0 && odd !== undefined) judgements.push({ reason: 'KubeletUnusual', ...odd })
    if (replaced !== undefined) {
      judgements.push({
        reason: 'KubeletNotRestarted',
        summary: `${replaced} was replaced, and process ${id} still runs the old one, ${version}`,
        evidence: [{ name: 'kubelet', value: version, unit: '' }],
      })
    }
    return judgements
  },
})

/** Throws NotApplicable or an Error, which says what would be needed, when it can be had from nowhere. */
async function versionOf(host: Host, id: string, tokenFile: string | undefined, signal: AbortSignal): Promise<string> {
  const open = await metricOf(host, OPEN_URL, {}, signal)
  if (open !== undefined) return open
  if (tokenFile !== undefined) {
    const authorization = `Bearer ${(await host.readText(tokenFile)).trim()}`
    const guarded = await metricOf(host, GUARDED_URL, { authorization }, signal)
    if (guarded !== undefined) return guarded
  }
  return saidByProgram(host, id, signal)
}

/** Undefined when that port is closed, or open to others only. */
async function metricOf(
  host: Host,
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const bounds = { signal, withinMs: 10_000, bytesMax: METRICS_BYTES_MAX, headers, tls: { anyServer: true } }
  try {
    const { status, body } = await host.get(url, bounds)
    if (status !== 200) return undefined
    const [info] = prometheusSamples(body, BUILD_INFO)
    return info === undefined ? undefined : checked(info.labels.git_version ?? info.labels.gitVersion ?? '', url)
  } catch (error) {
    if (error instanceof Unreachable) return undefined
    throw error
  }
}

/** The running program itself, even when it is gone from the disk. Only that of root: what others call kubelet is not run. */
async function saidByProgram(host: Host, id: string, signal: AbortSignal): Promise<string> {
  const status = await processStatusOf(host, id)
  if (status === undefined) throw new Error(`process ${id} ended while its version was asked for`)
  if (!status.isRoot)
    throw new Error(`process ${id} is called kubelet and does not run as root: its program is not run`)
  const { code, stdout, stderr } = await host
    .run([`/proc/${id}/exe`, '--version'], { signal })
    .catch(async (error: unknown) => {
      const isDenied = failureCode(error) === 'EACCES'
      throw isDenied
        ? await withheld(host, "ask the kubelet's program for its version", error, 'CAP_SYS_PTRACE')
        : error
    })
  if (code !== 0) throw new Error(`the kubelet, asked for its version, ended with ${code}: ${stderr.slice(0, 200)}`)
  return checked(/\bv\d+\.\d+\.\S+/.exec(stdout)?.[0] ?? '', 'the kubelet')
}

function checked(version: string, where: string): string {
  if (!isVersion(version)) throw new Error(`${where} says that the version is ${JSON.stringify(version.slice(0, 40))}`)
  return version
}

/** The path of the kubelet's program when another is there now; undefined also where that may not be seen. */
async function replacedProgram(host: Host, id: string): Promise<string | undefined> {
  const target = await host.readLink(`/proc/${id}/exe`).catch(() => '')
  const path = /^(\/.*) \(deleted\)$/.exec(target)?.[1]
  return path !== undefined && (await host.exists(path)) ? path : undefined
}
