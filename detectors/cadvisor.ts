/**
 * Are cadvisor's figures of this node's containers there, new and true? Dashboards, `kubectl top`, autoscaling and the
 * kubelet's own eviction stand on them, and nothing notices when they end, freeze, or tell of no pod any more. Asked is the
 * kubelet or a stand-alone cadvisor; what it says is held against the kernel's control groups.
 */
import { z } from 'zod'
import { messageOf } from '../common/errors.ts'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { type Compared, compare, disagreement } from './reading/cadvisor-cross-check.ts'
import { type CadvisorSource, readSource } from './reading/cadvisor-source.ts'
import { type CgroupTree, cgroupTree } from './reading/cgroups.ts'
import { hasRunningContainer, POD_ROOTS, type PodCgroup, podCgroups } from './reading/pod-cgroups.ts'

/** The kubelet's port without TLS, and cadvisor's own default. Elsewhere neither answers, and nothing is said. */
const SOURCES = [
  { kind: 'kubelet', url: 'http://127.0.0.1:10255' },
  { kind: 'stand-alone', url: 'http://127.0.0.1:8080' },
] as const
/** What is kept of ages, and named of what is missing: findings are bounded. */
const NAMED_MAX = 16

const source = z.strictObject({
  kind: z.enum(['kubelet', 'stand-alone']),
  url: z
    .string()
    .regex(/^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/, 'must be http(s)://127.0.0.1:PORT, with no path'),
  tokenFile: z.string().startsWith('/', 'must be an absolute path').optional(),
  required: z.boolean().default(false),
})

interface PageSample {
  readonly url: string
  readonly down: string | undefined
  readonly failed: string | undefined
  /** Undefined when there were no figures. */
  readonly pods: number | undefined
  /** Pods that run and are not among them; at most NAMED_MAX. */
  readonly missing: readonly string[]
  readonly containers: number
  /** The least new, with their ages; at most NAMED_MAX. */
  readonly oldest: readonly { readonly id: string; readonly ageMs: number }[]
  readonly compared: readonly Compared[]
}

interface Sample {
  readonly nowMs: number
  readonly processors: number
  /** Pods with containers that run, as the kernel has it; undefined where no cgroupfs can be seen. */
  readonly running: number | undefined
  readonly pages: readonly PageSample[]
}

type Reason =
  | 'CadvisorDown'
  | 'CadvisorScrapeError'
  | 'CadvisorStale'
  | 'CadvisorEmpty'
  | 'CadvisorIncomplete'
  | 'CadvisorDisagrees'

/** What has answered once in this life of the agent, so that its silence is a fault. */
const answered = new WeakMap<Host, Set<string>>()

export const cadvisor = defineDetector({
  name: 'cadvisor',
  summary: "Whether cadvisor's figures of containers are there, new, and what the kernel says.",
  every: '1m',
  timeout: '45s',
  needs: [],
  touches: {
    // For a token, wherever it is.
    paths: ['/**'],
    services: [
      'http://127.0.0.1:*',
      'https://127.0.0.1:*',
      'http://localhost:*',
      'https://localhost:*',
      'http://[::1]:*',
      'https://[::1]:*',
    ],
  },
  options: z.strictObject({
    sources: z
      .array(source)
      .min(1)
      .max(4)
      .default(SOURCES.map((one) => ({ ...one, required: false })))
      .describe(
        'Who is asked, on this host only: the kubelet (port 10255, or 10250 by https with `tokenFile`, a file of a token that may get nodes/metrics and nodes/stats) or a stand-alone cadvisor. `required`: that it does not answer is a fault though it never did.',
      ),
    answerWithinSeconds: z
      .number()
      .min(1)
      .max(20)
      .default(10)
      .describe('How long an answer may take. Prometheus waits 10 s by default (scrape_timeout).'),
    staleAfterSeconds: z
      .number()
      .min(5)
      .max(3_600)
      .default(150)
      .describe(
        'A figure that is older has stopped. cadvisor looks at a quiet container every 60 s at the latest; Prometheus forgets what is older than 5 min.',
      ),
    podRoots: z
      .array(z.string().startsWith('/', 'must be a path from the root of cgroupfs'))
      .max(8)
      .default(POD_ROOTS)
      .describe("The control groups that the kubelet's pods are below."),
    memoryTolerance: z
      .strictObject({
        ratio: z.number().gt(0).lt(1).default(0.3),
        bytes: z
          .int()
          .min(0)
          .default(64 * 1024 * 1024),
      })
      .prefault({})
      .describe(
        'Memory may differ from what the kernel says by the larger of the two: it changes until it is compared.',
      ),
  }),
  reasons: {
    CadvisorDown: reason(
      'alarm',
      '1m',
      'Nobody gives figures of containers: dashboards end and autoscaling stands still.',
    ),
    CadvisorScrapeError: reason('warn', '2m', 'By its own word, cadvisor cannot get all figures of containers.'),
    CadvisorStale: reason('warn', '2m', 'Figures of containers have stopped: they look alive and do not change.'),
    CadvisorEmpty: reason(
      'alarm',
      '2m',
      'No pod is told of while pods run: to everything that asks, the node is empty.',
    ),
    CadvisorIncomplete: reason('warn', '3m', 'Some of the pods that run are not told of.'),
    CadvisorDisagrees: reason('warn', '3m', 'Figures of containers are not what the kernel says.'),
  },

  async sample(host, options, signal): Promise<Sample> {
    signal.throwIfAborted()
    const told = await tellingPages(host, options.sources, options.answerWithinSeconds * 1_000, signal)
    const { nowMs, processors } = await clockOf(host)
    const tree = await treeIfThere(host)
    const pods = tree === undefined ? [] : await podCgroups(host, tree, options.podRoots)
    const running = tree === undefined ? undefined : await runningPods(host, tree, pods, signal)
    const pages: PageSample[] = []
    for (const { url, figures, down, failed } of told) {
      signal.throwIfAborted()
      const containers = figures?.containers ?? []
      const ages = containers.flatMap(({ id, atMs }) => (atMs === undefined ? [] : [{ id, ageMs: nowMs - atMs }]))
      const isUnseen = ({ uid }: PodCgroup) => figures?.uids.has(uid) === false
      pages.push({
        url,
        down,
        failed: failed ?? (figures?.scrapeError ? 'it counts an error of its own (container_scrape_error)' : undefined),
        pods: figures?.pods,
        // Where it names no uid at all, pods can be counted but not told apart.
        missing: (figures?.uids.size ? (running ?? []) : [])
          .filter(isUnseen)
          .map(({ uid }) => uid)
          .slice(0, NAMED_MAX),
        containers: containers.length,
        oldest: ages.toSorted((a, b) => b.ageMs - a.ageMs).slice(0, NAMED_MAX),
        compared: tree === undefined ? [] : await compare(host, tree, containers, pods),
      })
    }
    return { nowMs, processors, running: running?.length, pages }
  },

  judge(sample, options) {
    return sample.pages.flatMap((page) => judgePage(page, sample, options))
  },
})

function reason(severity: 'warn' | 'alarm', sustain: '1m' | '2m' | '3m', summary: string) {
  return { severity, sustain, summary, runbook: 'cadvisor' } as const
}

type Asked = CadvisorSource & { readonly required: boolean }

/** The pages of those that answer, did once, or must. Throws NotApplicable when there are none. */
async function tellingPages(host: Host, sources: readonly Asked[], withinMs: number, signal: AbortSignal) {
  const before = answered.get(host) ?? new Set<string>()
  answered.set(host, before)
  const silent: string[] = []
  const telling = []
  for (const one of sources) {
    // At the port of a stand-alone one may be any program: what that answers says nothing until it gave figures.
    const isAnyones = one.kind === 'stand-alone' && !one.required && ![...before].some((url) => url.startsWith(one.url))
    const pages = await readSource(host, one, withinMs, signal).catch((error: unknown) => {
      if (signal.aborted || !isAnyones) throw error
      silent.push(messageOf(error))
      return []
    })
    for (const page of pages) {
      const url = one.url + page.path
      const isMeant = one.required || before.has(url)
      const isMute = page.down !== undefined || (page.failed !== undefined && isAnyones)
      if (page.foreign !== undefined && isMeant) throw new Error(page.foreign)
      if (page.foreign !== undefined || (isMute && !isMeant)) silent.push(page.foreign ?? url)
      else telling.push({ ...page, url })
      if (page.figures !== undefined) before.add(url)
    }
  }
  if (telling.length === 0) throw new NotApplicable(`no cadvisor gives figures here: ${silent.join(', ')}`)
  return telling
}

/** The host's own, from the kernel: when it started, and how long ago that was. */
async function clockOf(host: Host): Promise<{ nowMs: number; processors: number }> {
  const stat = await host.readText('/proc/stat')
  const started = Number(/^btime (\d+)$/m.exec(stat)?.[1])
  const uptime = Number(/^(\d+\.\d+) /.exec(await host.readText('/proc/uptime'))?.[1])
  const processors = stat.match(/^cpu\d+ /gm)?.length ?? 0
  if (!(started > 0 && uptime >= 0 && processors > 0))
    throw new Error('/proc/stat and /proc/uptime do not tell the time')
  return { nowMs: (started + uptime) * 1_000, processors }
}

async function treeIfThere(host: Host): Promise<CgroupTree | undefined> {
  try {
    return await cgroupTree(host)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

async function runningPods(host: Host, tree: CgroupTree, pods: readonly PodCgroup[], signal: AbortSignal) {
  const running: PodCgroup[] = []
  for (const pod of pods) {
    signal.throwIfAborted()
    if (await hasRunningContainer(host, tree, pod)) running.push(pod)
  }
  return running
}

interface Limits {
  readonly staleAfterSeconds: number
  readonly memoryTolerance: { readonly ratio: number; readonly bytes: number }
}

function judgePage(
  page: PageSample,
  { nowMs, processors, running }: Sample,
  limits: Limits,
): readonly Judgement<Reason>[] {
  const { url, down, failed, pods, missing, containers, oldest, compared } = page
  const found: Judgement<Reason>[] = []
  const say = (reason: Reason, summary: string, name: string, value: number, limit: number, unit: string) =>
    found.push({ reason, cause: url, summary: `${url}: ${summary}`, evidence: [{ name, value, limit, unit }] })

  if (down !== undefined) say('CadvisorDown', down, 'answers', 0, 1, 'answers')
  if (failed !== undefined) say('CadvisorScrapeError', failed, 'errors', 1, 0, 'errors')
  const stale = oldest.filter(({ ageMs }) => ageMs > limits.staleAfterSeconds * 1_000)
  const [worst] = stale
  if (worst !== undefined) {
    const seconds = Math.round(worst.ageMs / 1_000)
    const summary = `${orMore(stale)} of ${containers} control groups have figures that stopped; those of ${worst.id} are ${seconds} s old`
    say('CadvisorStale', summary, 'age', seconds, limits.staleAfterSeconds, 'seconds')
  }
  if (pods === 0 && running !== undefined && running > 0) {
    say(
      'CadvisorEmpty',
      `it tells of no pod, and the kernel has ${running} with containers that run`,
      'pods',
      0,
      running,
      'pods',
    )
  } else if (missing.length > 0) {
    const summary = `it does not tell of ${orMore(missing)} of ${running} pods that run, such as ${missing[0]}`
    say('CadvisorIncomplete', summary, 'missing pods', missing.length, 0, 'pods')
  }
  const { ratio, bytes } = limits.memoryTolerance
  const tolerance = { processors, memoryRatio: ratio, memoryBytes: bytes }
  const wrong = compared.flatMap((one) => {
    // What has stopped is told as that.
    if (nowMs - one.atMs > limits.staleAfterSeconds * 1_000) return []
    const words = disagreement(one, nowMs, tolerance)
    return words === undefined ? [] : [`${one.group}, ${words}`]
  })
  if (wrong.length > 0) {
    const summary = `${wrong.length} of ${compared.length} control groups differ: ${wrong[0]}`
    say('CadvisorDisagrees', summary, 'control groups that differ', wrong.length, 0, 'groups')
  }
  return found
}

const orMore = ({ length }: readonly unknown[]) => (length === NAMED_MAX ? `${NAMED_MAX} or more` : String(length))
