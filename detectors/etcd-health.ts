/**
 * Does etcd say that it is healthy? Its answer is of the cluster seen from this member: whether a read that the members must
 * agree on comes through, and whether an alarm is raised.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'
import { defineDetector, type Host, type HttpReply, type Judgement, Unreachable } from './contract.ts'
import { asking, type Etcd, etcdOptions, etcdTouches, findEtcd } from './reading/etcd.ts'
import { failedChecks } from './reading/health-checks.ts'

/** The last two are served by etcd 3.5.11, 3.4.29 and later. */
const PATHS = ['/health', '/livez', '/readyz']
const NOT_SERVED = 404

interface Answer {
  readonly path: string
  readonly isHealthy: boolean
  /** A status, or why there is no answer. */
  readonly said: string
  readonly tookMs: number
}

type EtcdHealthReason = 'EtcdUnhealthy' | 'EtcdSlow'

export const etcdHealth = defineDetector({
  name: 'etcd-health',
  summary: 'Whether etcd says that it is healthy, and answers in time.',
  every: '15s',
  timeout: '14s',
  needs: [],
  touches: etcdTouches,
  options: z
    .strictObject({
      ...etcdOptions,
      slow: z
        .string()
        .refine(isDuration, 'write a number and ms, s, m, h or d, as in 1s')
        .default('1s')
        .describe('An answer that takes longer is a warning.'),
    })
    .refine(
      ({ slow, timeout }) => !(isDuration(slow) && isDuration(timeout)) || durationMs(slow) < durationMs(timeout),
      'slow must be below timeout',
    ),
  reasons: {
    EtcdUnhealthy: {
      severity: 'alarm',
      summary: 'The etcd here cannot serve: it does not answer, has no leader, or raised an alarm.',
      // An election takes a second or a few, and is no fault.
      sustain: '15s',
      runbook: 'etcd-health',
    },
    EtcdSlow: {
      severity: 'warn',
      summary: 'The etcd here takes long for a single read: its disk or the network between its members is slow.',
      sustain: '1m',
      runbook: 'etcd-health',
    },
  },

  async sample(host, options, signal) {
    signal.throwIfAborted()
    const etcd = await findEtcd(host, options, signal)
    const bounds = { signal, withinMs: durationMs(options.timeout) }
    const answers = await Promise.all(PATHS.map((path) => answerOf(host, etcd, path, bounds)))
    return { url: etcd.metricsUrl, answers: answers.filter((answer) => answer !== undefined) }
  },

  judge({ url, answers }, { slow }) {
    const slowMs = durationMs(slow)
    return answers.flatMap(({ path, isHealthy, said, tookMs }): readonly Judgement<EtcdHealthReason>[] => {
      if (!isHealthy) {
        const evidence = [{ name: path, value: said, limit: '200', unit: '' }]
        return [{ reason: 'EtcdUnhealthy', cause: path, summary: `etcd says ${said} at ${url}${path}`, evidence }]
      }
      if (tookMs <= slowMs) return []
      const evidence = [{ name: path, value: tookMs, limit: slowMs, unit: 'ms' }]
      return [
        {
          reason: 'EtcdSlow',
          cause: path,
          summary: `etcd took ${tookMs} ms to answer ${url}${path}`,
          evidence,
        },
      ]
    })
  },
})

/** Undefined when this etcd serves no such path. */
async function answerOf(
  host: Host,
  etcd: Etcd,
  path: string,
  bounds: { signal: AbortSignal; withinMs: number },
): Promise<Answer | undefined> {
  const url = etcd.metricsUrl
  try {
    const reply = await host.get(url + path, await asking(host, etcd, url, bounds))
    return reply.status === NOT_SERVED && path !== '/health' ? undefined : read(url + path, path, reply)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    // The others say no more than the first when nobody is there.
    return path === '/health' ? { path, isHealthy: false, said: `nothing (${error.code})`, tookMs: 0 } : undefined
  }
}

/** Throws an Error when it is not etcd that answers so. */
function read(url: string, path: string, { status, body, tookMs }: HttpReply): Answer {
  if (path !== '/health') {
    const failed = failedChecks(body)
    const said = failed.length === 0 ? String(status) : `${status}, failed: ${failed.join(', ')}`
    return { path, isHealthy: status === 200, said, tookMs }
  }
  // `{"health":"true","reason":""}`; before 3.5 without a reason.
  const health = /"health":\s*"?(true|false)"?/.exec(body)?.[1]
  if (health === undefined) throw new Error(`${url} does not say whether etcd is healthy, and answers ${status}`)
  const reason = /"reason":\s*"([^"\\]{1,200})"/.exec(body)?.[1]
  return {
    path,
    isHealthy: health === 'true',
    said: reason === undefined ? String(status) : `${status}, ${reason}`,
    tookMs,
  }
}
