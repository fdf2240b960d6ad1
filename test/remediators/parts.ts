/** Small made-up parts that the tests of remediation share. */
import { fileURLToPath } from 'node:url'
import type { Moment } from '../../common/moment.ts'
import type { NodeTraits } from '../../common/selector.ts'
import type { Finding, Host } from '../../detectors/contract.ts'
import type { Around } from '../../remediators/alone.ts'
import type { Control, Plan, Remediator } from '../../remediators/contract.ts'
import type { Decision, Permit } from '../../remediators/permits.ts'
import type { Policy } from '../../remediators/policy/model.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import { readRemediatorSettings } from '../../remediators/settings.ts'
import { sysctl as shipped } from '../../remediators/sysctl.ts'

export const NODE = 'node-7'
export const COOL_DOWN_MS = 600_000

export const at = (ms: number): Moment => ({ ms, wall: new Date(Date.UTC(2026, 0, 1) + ms).toISOString() })

const { inspect: look, ...unlooking } = shipped
/** As it ships, but that it plans at once: what the finding says is all that it needs to know here. */
export const sysctl = unlooking as Remediator
/** As it ships. */
export const looking = { ...unlooking, inspect: look, name: 'looking' } as Remediator

export const TRAITS: NodeTraits = { node: NODE, zone: 'a', roles: ['worker'], pool: 'general' }

/** `others` in place of policies and remediators: those that ship are of no use for what a test needs of them. */
export function rulesFor(
  settings: unknown = { sysctl: { mode: 'approve' } },
  policies: readonly Policy[] = [],
  remediators: readonly Remediator[] = [sysctl],
): Rules {
  return { node: NODE, traits: TRAITS, policies, byName: readRemediatorSettings(remediators, settings) }
}

/** For the fault that `differs` makes, on every node: automatic, once, at any time. */
export function policyFor(parts: Partial<Policy> = {}): Policy {
  return {
    name: 'params',
    selector: { all: true },
    match: [{ reason: 'KernelParamDiffers' }],
    mode: 'auto',
    ladder: [{ remediator: 'sysctl', attempts: 1 }],
    windows: [],
    coolDown: '10m',
    ...parts,
  }
}

export const autoRules = (parts: Partial<Policy> = {}, ...others: readonly Remediator[]): Rules =>
  rulesFor({}, [policyFor(parts)], [sysctl, ...others])

/** Another sysctl under another name, for a second rung. */
export const second: Remediator = { ...sysctl, name: 'second' }

export const NONCE = '0'.repeat(32)
export const aroundWith = (parts: Partial<Around> = {}): Around => ({
  nonce: NONCE,
  chance: 0.5,
  isLed: true,
  neighbours: undefined,
  ...parts,
})

export function permitFor(plan: Plan, parts: Partial<Permit> = {}): Permit {
  const { id: planId, node, planHash, evidenceHash } = plan
  return { id: 'permit-1', node, planId, planHash, evidenceHash, nonce: NONCE, at: at(0).wall, ...parts }
}

/** The folder of a recorded host to be mended. */
export const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}/`, import.meta.url))

/** Something that a detector reports of this node. */
export function finding(detector: string, reason: string, cause: string, evidence: Finding['evidence']): Finding {
  const id = `${NODE}/${detector}/${reason}/${cause}#t`
  return differs('', '', '', { id, detector, reason, cause, summary: `${reason} ${cause}`, evidence })
}

/** As the kernel-params detector reports that `key` is `value`, and should be `limit`. */
export function differs(key = 'vm.swappiness', value = '60', limit = '10', parts: Partial<Finding> = {}): Finding {
  return {
    id: `${NODE}/kernel-params/KernelParamDiffers/${key}#t`,
    node: NODE,
    detector: 'kernel-params',
    reason: 'KernelParamDiffers',
    cause: key,
    status: 'warn',
    summary: `${key} is ${value}, wanted ${limit}`,
    evidence: [{ name: key, value, limit, unit: '' }],
    since: at(0).wall,
    observedAt: at(0).wall,
    ttlMs: 180_000,
    ...parts,
  }
}

const nothingWrong = { reason: 'Ok', cause: '', evidence: [] as Finding['evidence'], summary: 'nothing to report' }
export const ok = differs('', '', '', { ...nothingWrong, status: 'ok' })
export const unknown = differs('', '', '', {
  ...nothingWrong,
  reason: 'ProbeFailed',
  status: 'unknown',
  summary: 'EIO',
})
export const absent = differs('', '', '', { ...nothingWrong, reason: 'NotApplicable', status: 'not-applicable' })

export function decisionFor(plan: Plan, parts: Partial<Decision> = {}): Decision {
  return {
    id: 'decision-1',
    planId: plan.id,
    planHash: plan.planHash,
    evidenceHash: plan.evidenceHash,
    node: plan.node,
    action: 'approve',
    by: 'ada',
    via: 'page',
    reason: '',
    at: at(0).wall,
    ttlMs: 60_000,
    ...parts,
  }
}

/** Kernel parameters in memory, by path. `clamp` is what the kernel makes of a value that is written. */
export function memoryControl(files: Record<string, string>, clamp: (value: string) => string = (value) => value) {
  const writes: string[] = []
  const refuse = () => {
    throw new Error('nothing but reading and writing values of the kernel')
  }
  const host = new Proxy({} as Host, {
    get: (_, name) =>
      name !== 'readText'
        ? refuse
        : async (path: string) => {
            const text = files[path]
            if (text === undefined) throw new Error(`${path} cannot be read: ENOENT`)
            return text
          },
  })
  const control: Control = {
    host,
    async writeText(path, text) {
      writes.push(`${path}=${text.trim()}`)
      files[path] = clamp(text)
    },
    replaceFile: refuse,
    truncate: refuse,
  }
  return { control, writes, files }
}
