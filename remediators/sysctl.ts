/**
 * Sets kernel parameters to their wanted values, until the next boot. Reach `none`: writing a parameter stops and
 * restarts nothing.
 */
import { z } from 'zod'
import { isSysctlKey, normaliseSysctl, sysctlPath } from '../common/sysctl.ts'
import type { Finding } from '../detectors/contract.ts'
import { type Change, type Control, defineRemediator, StalePlan } from './contract.ts'

/** Parameters of the network, of memory and of table sizes: reversible by writing the old value back. */
const SAFE_KEYS = ['net.core.*', 'net.ipv4.*', 'net.ipv6.*', 'vm.*', 'kernel.pid_max', 'net.netfilter.nf_conntrack_max']

/**
 * The kubelet sets these when it starts (or refuses to start when they differ, with --protect-kernel-defaults). Two
 * writers of one value would take turns, so its configuration is the place to change them.
 */
const KUBELET_KEYS = [
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'kernel.panic',
  'kernel.panic_on_oops',
  'kernel.keys.*',
]

const pattern = z
  .string()
  .regex(
    /^[\w@:-]+(?:[./][\w@:-]+)*(?:\.\*)?$/,
    'must be a kernel parameter, or the beginning of one with .* at the end',
  )

export const sysctl = defineRemediator({
  name: 'sysctl',
  summary: 'Sets kernel parameters to their wanted values, until the next boot.',
  handles: ['KernelParamDiffers'],
  reach: 'none',
  risk: 'low',
  reversible: true,
  touches: { paths: ['/proc/sys/**'], writes: ['/proc/sys/**'] },
  options: z.strictObject({
    allow: z
      .array(pattern)
      .default(SAFE_KEYS)
      .describe('Kernel parameters that may be set; with .* at the end, all below.'),
    allowOwned: z.boolean().default(false).describe('Whether also those may be set that the kubelet sets itself.'),
  }),

  plan(finding, { allow, allowOwned }) {
    const changes = changesOf(finding)
    const mayTouch = ({ what }: Change) => matchesAny(what, allow) && (allowOwned || !matchesAny(what, KUBELET_KEYS))
    return changes.length > 0 && changes.every(mayTouch) ? changes : null
  },

  async apply(plan, control, signal) {
    const pending: Change[] = []
    for (const change of plan.changes) {
      signal.throwIfAborted()
      const current = await read(control, change.what)
      if (current === change.after) continue
      if (current !== change.before) {
        throw new StalePlan(`${change.what} is ${current}, and the plan was made for ${change.before}`)
      }
      pending.push(change)
    }
    for (const { what, after } of pending) {
      signal.throwIfAborted()
      await write(control, what, after)
    }
  },

  async revert(plan, control, signal) {
    // Whatever the value is now is overwritten: the kernel may have clamped ours to one that the plan does not name.
    for (const { what, before } of plan.changes.toReversed()) {
      signal.throwIfAborted()
      if ((await read(control, what)) !== before) await write(control, what, before)
    }
  },
})

/** The kernel-params detector writes one measure per parameter: its name, its value, and the value that would mend it. */
function changesOf({ evidence }: Finding): readonly Change[] {
  return evidence.flatMap(({ name, value, limit }) => {
    const before = normaliseSysctl(String(value))
    const after = normaliseSysctl(String(limit ?? ''))
    if (!isSysctlKey(name) || after === '' || after === before) return []
    return { what: name, before, after, undo: `sysctl -w ${name}=${shellWord(before)}` }
  })
}

function matchesAny(key: string, patterns: readonly string[]): boolean {
  return patterns.some((entry) => (entry.endsWith('.*') ? key.startsWith(entry.slice(0, -1)) : key === entry))
}

async function read(control: Control, key: string): Promise<string> {
  return normaliseSysctl(await control.host.readText(sysctlPath(key)))
}

/** Throws when the kernel keeps another value than it was given; it clamps some instead of refusing them. */
async function write(control: Control, key: string, value: string): Promise<void> {
  await control.writeText(sysctlPath(key), `${value}\n`)
  const kept = await read(control, key)
  if (kept !== value) throw new Error(`${key} was set to ${value}, and the kernel made it ${kept}`)
}

function shellWord(text: string): string {
  return /^[\w.:,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
