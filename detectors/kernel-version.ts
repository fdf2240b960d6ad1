/**
 * Which kernel runs: the one that is wanted, the newest that is installed, and one that nothing has gone wrong in since it
 * booted? Without options no version is wrong.
 */
import { z } from 'zod'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { failureCode } from './reading/failure.ts'
import { compareReleases, flavourOf, matchesRelease } from './reading/kernel-release.ts'
import { namesOfTaints, TAINTS } from './reading/kernel-taints.ts'
import { oddity } from './reading/pool.ts'

const RELEASE = '/proc/sys/kernel/osrelease'
const TAINTED = '/proc/sys/kernel/tainted'
/** Debian, Ubuntu and Red Hat put the image of each installed kernel there. */
const BOOT = '/boot'
const IMAGE = 'vmlinuz-'

/** They say which modules were loaded, as those of a graphics card, and not that anything went wrong. */
const EXPECTED: (typeof TAINTS)[number][] = [
  'proprietary-module',
  'staging-driver',
  'out-of-tree-module',
  'unsigned-module',
  'live-patch',
  'auxiliary',
]

const version = z.string().regex(/^\d+(\.\d+)*(-\d+)?$/, 'must be numbers with dots, as 5.15.0 or 5.15.0-91')

type Reason = 'KernelUnwanted' | 'KernelUnusual' | 'KernelUpdatePending' | 'KernelTainted'

export const kernelVersion = defineDetector({
  name: 'kernel-version',
  summary: 'Whether the kernel is one that is wanted, the newest that is installed, and nothing went wrong in it.',
  every: '10m',
  timeout: '5s',
  needs: [],
  touches: { paths: [RELEASE, TAINTED, `${BOOT}/*`], peers: true },
  options: z
    .strictObject({
      min: version.exactOptional().describe('The oldest version that is wanted, as 5.15.0 or 5.15.0-91; none: any.'),
      max: version
        .exactOptional()
        .describe('The newest version that is wanted; none: any. What is left out counts as equal.'),
      allowed: z
        .array(z.string().min(1).max(200))
        .max(64)
        .default([])
        .describe('Releases that are wanted, as uname -r says them, * for any text; empty: any.'),
      expectedTaints: z
        .array(z.enum(TAINTS))
        .default(EXPECTED)
        .describe('Taints that are not reported. By default those that only say which modules were loaded.'),
    })
    .refine(
      ({ min, max }) => min === undefined || max === undefined || compareReleases(min, max) <= 0,
      'min must not be above max',
    ),
  reasons: {
    KernelUnwanted: {
      severity: 'warn',
      summary: 'The kernel is none of those that this node is meant to run.',
      sustain: '0s',
      runbook: 'kernel-version',
    },
    KernelUnusual: {
      severity: 'warn',
      summary: 'The kernel is another than at least four fifths of the nodes of the pool run.',
      // While a whole pool is updated, each node is the odd one for a moment. Less than an interval: two looks suffice.
      sustain: '5m',
      runbook: 'kernel-version',
    },
    KernelUpdatePending: {
      severity: 'info',
      summary: 'A newer kernel is installed than the one that runs: its fixes come with the next boot.',
      sustain: '0s',
      runbook: 'kernel-version',
    },
    KernelTainted: {
      severity: 'info',
      summary: 'Something happened in this kernel since it booted that makes what it does from then on less certain.',
      sustain: '0s',
      runbook: 'kernel-version',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    const release = (await host.readText(RELEASE)).trim()
    if (!/^\d+\.\d/.test(release)) throw new Error(`${RELEASE} holds no version of a kernel`)
    const [installed, taints] = [await installedReleases(host), await host.readInt(TAINTED)]
    return { release, installed, taints, majority: host.majority('kernel-version', release) }
  },

  judge({ release, installed, taints, majority }, { min, max, allowed, expectedTaints }) {
    const newest = installed
      .filter((other) => flavourOf(other) === flavourOf(release))
      .reduce((best, other) => (compareReleases(other, best) > 0 ? other : best), release)
    const unwanted = judgeWanted(release, min, max, allowed)
    const odd = oddity('the kernel', release, majority)
    return [
      // What is wanted was said by a person, and says more than what the others have.
      ...(unwanted.length > 0 || odd === undefined ? unwanted : [{ reason: 'KernelUnusual' as const, ...odd }]),
      ...(newest === release ? [] : [pending(release, newest)]),
      ...namesOfTaints(taints)
        .filter((name) => !expectedTaints.some((expected) => expected === name))
        .map((name) => tainted(name, taints)),
    ]
  },
})

function judgeWanted(
  release: string,
  min: string | undefined,
  max: string | undefined,
  allowed: readonly string[],
): readonly Judgement<Reason>[] {
  const wanted: string[] = []
  if (min !== undefined && compareReleases(release, min) < 0) wanted.push(`${min} or newer`)
  // 5.15 as the newest includes 5.15.3.
  if (max !== undefined && compareReleases(release, max) > 0 && !isPartOf(release, max)) wanted.push(`${max} or older`)
  if (allowed.length > 0 && !allowed.some((pattern) => matchesRelease(pattern, release)))
    wanted.push(allowed.join(', '))
  if (wanted.length === 0) return []
  const limit = wanted.join(' and ')
  return [
    {
      reason: 'KernelUnwanted',
      summary: `the kernel is ${release}; wanted is ${limit}`,
      evidence: [{ name: 'osrelease', value: release, limit, unit: '' }],
    },
  ]
}

function isPartOf(release: string, version: string): boolean {
  return release.startsWith(version) && !/^\d/.test(release.slice(version.length))
}

function pending(release: string, newest: string): Judgement<Reason> {
  return {
    reason: 'KernelUpdatePending',
    summary: `the kernel is ${release}, and ${newest} is installed`,
    evidence: [{ name: 'osrelease', value: release, limit: newest, unit: '' }],
  }
}

function tainted(name: string, taints: number): Judgement<Reason> {
  return {
    reason: 'KernelTainted',
    cause: name,
    summary: `the kernel is tainted: ${name} (tainted is ${taints})`,
    evidence: [{ name: 'tainted', value: taints, limit: 0, unit: '' }],
  }
}

/** None where /boot cannot be seen: in a container, or closed to all but root as some guides for hardening say. */
async function installedReleases(host: Host): Promise<readonly string[]> {
  try {
    const names = await host.list(BOOT)
    return names.filter((name) => name.startsWith(IMAGE)).map((name) => name.slice(IMAGE.length))
  } catch (error) {
    const code = failureCode(error)
    if (error instanceof NotApplicable || code === 'EACCES') return []
    throw error
  }
}
