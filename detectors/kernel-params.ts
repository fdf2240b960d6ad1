/** Do the kernel parameters have the values that this node is meant to run with? */
import { z } from 'zod'
import { isSysctlKey, normaliseSysctl, sysctlPath } from '../common/sysctl.ts'
import { defineDetector, type Host, type Majority, NotApplicable } from './contract.ts'
import { oddity } from './reading/pool.ts'

/** An exact value (runs of white space count as one blank), or bounds, inclusive, for a value that is one number. */
export type Wanted = string | { readonly min?: number | undefined; readonly max?: number | undefined }

interface Reading {
  readonly key: string
  readonly value: string
  /** What nearly all nodes of the pool have. */
  readonly majority?: Majority | undefined
}

const bounds = z
  .strictObject({ min: z.int().optional(), max: z.int().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'give min, max, or both')
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, 'min must not be above max')

const wantedSchema = z.record(
  z.string().refine(isSysctlKey, 'must be the name of a kernel parameter, such as vm.swappiness'),
  // A bare number too, since that is how most values are written in YAML.
  z.union([z.string().min(1).max(200), z.int().transform(String), bounds]),
)

/** What nearly any node needs, as bounds, so that hosts tuned beyond them are left in peace. */
const DEFAULT_WANTED: Readonly<Record<string, Wanted>> = {
  // Reserve for allocations that cannot wait, such as a network driver's receive path. Below 16 MiB packets are lost and
  // atomic allocations fail under memory pressure, long before anything is killed.
  'vm.min_free_kbytes': { min: 16_384 },
  // The least that kube-proxy sets (conntrack.min, 131072); one entry per connection through a Service.
  'net.netfilter.nf_conntrack_max': { min: 131_072 },
  // 2 is strict accounting: fork fails where memory is overcommitted, which is how pods are packed. 1 is what the kubelet
  // sets and 0 the kernel's default; both are fine.
  'vm.overcommit_memory': { max: 1 },
  // The kernel's own default. Threads count too; a node below it was lowered and runs out with a few busy pods.
  'kernel.pid_max': { min: 32_768 },
}

/**
 * What people and the kubelet set on all nodes of a pool. Nothing that the kernel derives from the size of a machine, such
 * as vm.min_free_kbytes or fs.inotify.max_user_watches: machines of several sizes may be one pool.
 */
const DEFAULT_ALIKE = [
  'kernel.panic',
  'kernel.panic_on_oops',
  'net.bridge.bridge-nf-call-iptables',
  'net.core.somaxconn',
  'net.ipv4.conf.all.rp_filter',
  'net.ipv4.ip_forward',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_tw_reuse',
  'vm.max_map_count',
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'vm.swappiness',
]

export const kernelParams = defineDetector({
  name: 'kernel-params',
  summary: 'Whether kernel parameters (sysctls) have the wanted values, and the same as on other nodes of the pool.',
  every: '1m',
  timeout: '5s',
  needs: [],
  touches: { paths: ['/proc/sys/**'], peers: true },
  options: z.strictObject({
    wanted: wantedSchema
      .default(DEFAULT_WANTED)
      .describe(
        'Kernel parameter to exact value ("1") or bounds ({min, max}). Replaces the default as a whole; a parameter that the host does not have is skipped.',
      ),
    alike: z
      .array(z.string().refine(isSysctlKey, 'must be the name of a kernel parameter, such as vm.swappiness'))
      .max(32)
      .default(DEFAULT_ALIKE)
      .describe('Kernel parameters that nearly all nodes of a pool (those with the same roles) are to have in common.'),
  }),
  reasons: {
    KernelParamDiffers: {
      severity: 'warn',
      summary: 'A kernel parameter is not what this node is meant to run with.',
      // A parameter changes when somebody or something sets it, never by load: nothing to wait for.
      sustain: '0s',
      runbook: 'kernel-params',
    },
    KernelParamUnusual: {
      severity: 'warn',
      summary: 'A kernel parameter differs from what at least four fifths of the nodes of the pool have.',
      // While a whole pool is changed, each node is the odd one for a moment. Less than an interval: two looks suffice.
      sustain: '5s',
      runbook: 'kernel-params',
    },
  },

  async sample(host, { wanted, alike }, signal) {
    const readings: Reading[] = []
    for (const key of new Set([...Object.keys(wanted), ...alike])) {
      signal.throwIfAborted()
      const value = await readParam(host, key)
      if (value === undefined) continue
      const want = wanted[key]
      if (typeof want === 'object' && !/^-?\d+$/.test(value)) {
        throw new Error(`${sysctlPath(key)} holds "${value.slice(0, 40)}", which bounds cannot be held against`)
      }
      const majority = alike.includes(key) ? host.majority(`kernel-params/${key}`, value) : undefined
      readings.push({ key, value, majority })
    }
    if (readings.length === 0) throw new NotApplicable('this host has none of the wanted kernel parameters')
    return readings
  },

  judge(readings, { wanted }) {
    return readings.flatMap(({ key, value, majority }) => {
      const want = wanted[key]
      const limit = want === undefined ? undefined : violated(value, want)
      // What is wanted was said by a person, and says more than what the others have.
      if (want === undefined || limit === undefined) {
        const odd = oddity(key, value, majority)
        return odd === undefined ? [] : { reason: 'KernelParamUnusual' as const, cause: key, ...odd }
      }
      return {
        reason: 'KernelParamDiffers' as const,
        cause: key,
        summary: `${key} is ${value}, wanted ${describe(want)}`,
        // `limit` is the value that would mend it: remediators plan from it.
        evidence: [{ name: key, value, limit, unit: '' }],
      }
    })
  },
})

/** Undefined when this host has no such parameter: a module that is not loaded, or an older kernel. No fault. */
async function readParam(host: Host, key: string): Promise<string | undefined> {
  try {
    return normaliseSysctl(await host.readText(sysctlPath(key)))
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

/** The wanted value, or the bound that `value` is beyond; undefined when it is as wanted. */
function violated(value: string, want: Wanted): string | undefined {
  if (typeof want === 'string') return normaliseSysctl(want) === value ? undefined : normaliseSysctl(want)
  const { min, max } = want
  if (min !== undefined && Number(value) < min) return String(min)
  if (max !== undefined && Number(value) > max) return String(max)
  return undefined
}

function describe(want: Wanted): string {
  if (typeof want === 'string') return normaliseSysctl(want)
  const { min, max } = want
  if (min !== undefined && max !== undefined) return `${min} to ${max}`
  return min !== undefined ? `at least ${min}` : `at most ${max}`
}
