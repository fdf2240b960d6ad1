/**
 * Does the kubelet say that it is healthy? Its process can be there while it hangs or has lost the runtime. Asked on the port
 * that it keeps for this on the loopback interface, where anyone on the host may ask.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'
import { defineDetector, type Host, type HttpReply, type Judgement, NotApplicable, Unreachable } from './contract.ts'
import { answerTimeout } from './reading/answer-timeout.ts'
import { commandsOption, type Daemon, DaemonFinder, requireSign, signsOption } from './reading/daemons.ts'
import { flagOf } from './reading/flags.ts'
import { failedChecks } from './reading/health-checks.ts'
import { KUBELET_COMMANDS, KUBELET_SIGNS } from './reading/kubelet.ts'
import { withheld } from './reading/privilege.ts'
import { commandLineOf } from './reading/processes.ts'

/** The kubelet's own default (healthzPort and healthzBindAddress of its configuration). */
const STANDARD_URL = 'http://127.0.0.1:10248/healthz'
const STANDARD_PORT = '10248'

const finder = new DaemonFinder()
/** Hosts whose kubelet has answered at the standard URL: there it is missed, whatever of its configuration may be read. */
const answersThere = new WeakSet<Host>()

interface Answer {
  readonly url: string
  /** Why there is none: ECONNREFUSED, ETIMEDOUT and so on. */
  readonly unreachable?: string
  readonly status?: number
  /** Checks that failed, by the kubelet's names for them. */
  readonly failed?: readonly string[]
  readonly tookMs?: number
}

type KubeletReason = 'KubeletUnhealthy' | 'KubeletSlow'

export const kubeletHealth = defineDetector({
  name: 'kubelet-health',
  summary: 'Whether the kubelet says that it is healthy, and answers in time.',
  every: '15s',
  timeout: '14s',
  needs: [],
  touches: { paths: ['/**'], services: ['http://*', 'https://*'] },
  options: z
    .strictObject({
      urls: z
        .array(z.url({ protocol: /^https?$/ }))
        .max(8)
        .default([])
        .describe('Where to ask; empty: where the kubelet says by its flags and configuration, or on port 10248.'),
      tokenFile: z
        .string()
        .startsWith('/', 'must be an absolute path')
        .optional()
        .describe('A file with a bearer token for `urls` that want one, as https://127.0.0.1:10250/healthz does.'),
      slow: z
        .string()
        .refine(isDuration, 'write a number and ms, s, m, h or d, as in 2s')
        .default('2s')
        .describe('An answer that takes longer is a warning.'),
      timeout: answerTimeout('10s', '10s'),
      commands: commandsOption(KUBELET_COMMANDS, "the kubelet's"),
      signs: signsOption(KUBELET_SIGNS, 'a kubelet'),
    })
    .refine(
      ({ slow, timeout }) => !(isDuration(slow) && isDuration(timeout)) || durationMs(slow) < durationMs(timeout),
      'slow must be below timeout',
    )
    .refine(
      ({ urls, tokenFile }) => tokenFile === undefined || (urls.length > 0 && urls.every(isLoopback)),
      'tokenFile needs urls, and they must be of the loopback interface: the token is for nobody else',
    ),
  reasons: {
    KubeletUnhealthy: {
      severity: 'alarm',
      summary: 'The kubelet runs and is not healthy: pods are not looked after here, and Kubernetes may miss the node.',
      // Two looks: longer than a kubelet takes from its start to its first answer, as in an upgrade.
      sustain: '20s',
      runbook: 'kubelet-health',
    },
    KubeletSlow: {
      severity: 'warn',
      summary: 'The kubelet takes long to answer the simplest question: it is starved of CPU or disk.',
      sustain: '1m',
      runbook: 'kubelet-health',
    },
  },

  async sample(host, { urls, tokenFile, timeout, commands, signs }, signal) {
    signal.throwIfAborted()
    await requireSign(host, signs, 'no kubelet was ever started here')
    const token = tokenFile === undefined ? undefined : (await host.readText(tokenFile)).trim()
    const ask = (url: string) => answerOf(host, url, token, durationMs(timeout), signal)
    const answers = await Promise.all((urls.length > 0 ? urls : [STANDARD_URL]).map(ask))
    if (answers.some(({ url, status }) => url === STANDARD_URL && status !== undefined)) answersThere.add(host)
    // What takes the question is there; what refuses it may be dead, or answer elsewhere.
    if (answers.every(({ unreachable = 'ETIMEDOUT' }) => unreachable === 'ETIMEDOUT')) return answers
    const [kubelet] = (await finder.find(host, commands, signal)).found
    if (kubelet === undefined) throw new NotApplicable('the kubelet does not run, which kubelet-process reports')
    const url = urls.length > 0 ? STANDARD_URL : await ownUrl(host, kubelet)
    return url === STANDARD_URL ? answers : [await ask(url)]
  },

  judge: (answers, { slow }) => answers.flatMap((answer) => judgeAnswer(answer, durationMs(slow))),
})

function isLoopback(url: string): boolean {
  return /^https?:\/\/(127\.0\.0\.1|\[::1\])(:\d+)?\//.test(url)
}

async function answerOf(
  host: Host,
  url: string,
  token: string | undefined,
  withinMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  try {
    // A kubelet signs its own certificate unless it is told otherwise.
    const reply = await host.get(url, { signal, withinMs, headers, tls: { anyServer: isLoopback(url) } })
    return read(url, reply)
  } catch (error) {
    if (error instanceof Unreachable) return { url, unreachable: error.code }
    throw error
  }
}

/** Throws an Error when we are not let in, which says nothing of the kubelet. */
function read(url: string, { status, body, tookMs }: HttpReply): Answer {
  if (status === 401 || status === 403) throw new Error(`${url} does not let this agent ask: ${status}`)
  return { url, status, failed: failedChecks(body), tookMs }
}

/** Where this kubelet answers: a flag comes before what its configuration says. */
async function ownUrl(host: Host, { id }: Daemon): Promise<string> {
  const words = await commandLineOf(host, id)
  const file = flagOf(words, 'config')
  const isSaid = flagOf(words, 'healthz-port') !== undefined || answersThere.has(host)
  const config = file?.startsWith('/') ? await configOf(host, file, isSaid) : ''
  const value = (flag: string, key: string) =>
    flagOf(words, flag) ?? new RegExp(`^"?${key}"?:\\s*"?([\\w.:]+)`, 'm').exec(config)?.[1]
  const port = value('healthz-port', 'healthzPort') ?? STANDARD_PORT
  if (port === '0')
    throw new NotApplicable('this kubelet is told not to say whether it is healthy: its healthz port is 0')
  const address = value('healthz-bind-address', 'healthzBindAddress') ?? '127.0.0.1'
  const reached = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}/healthz`
}

/** Empty where it cannot be read: the standard is the best guess then, unless that is only for want of a privilege. */
async function configOf(host: Host, file: string, isSaid: boolean): Promise<string> {
  try {
    return await host.readText(file)
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code !== 'EACCES' || isSaid) return ''
    const why = await withheld(
      host,
      `see in ${file} where the kubelet answers, which it does not at ${STANDARD_URL}`,
      error,
    )
    if (why instanceof NotApplicable) throw why
    return ''
  }
}

function judgeAnswer(answer: Answer, slowMs: number): readonly Judgement<KubeletReason>[] {
  const { url, unreachable, status = 0, failed = [], tookMs = 0 } = answer
  const evidence = [
    unreachable === undefined
      ? { name: 'status', value: status, limit: 200, unit: '' }
      : { name: 'answer', value: unreachable, limit: 200, unit: '' },
  ]
  if (unreachable !== undefined) {
    const why =
      unreachable === 'ETIMEDOUT' ? 'takes the question and does not answer' : `does not answer: ${unreachable}`
    return [{ reason: 'KubeletUnhealthy', cause: url, summary: `the kubelet runs and ${why} at ${url}`, evidence }]
  }
  if (status !== 200) {
    const checks = failed.length === 0 ? 'no failed check named' : `failed: ${failed.join(', ')}`
    return [
      {
        reason: 'KubeletUnhealthy',
        cause: url,
        summary: `the kubelet answers ${status} at ${url}, ${checks}`,
        evidence,
      },
    ]
  }
  if (tookMs <= slowMs) return []
  const summary = `the kubelet took ${tookMs} ms to say at ${url} that it is healthy`
  return [
    {
      reason: 'KubeletSlow',
      cause: url,
      summary,
      evidence: [{ name: 'answer', value: tookMs, limit: slowMs, unit: 'ms' }],
    },
  ]
}
