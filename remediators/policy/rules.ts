/** Which rule a finding falls under on this node: the first policy that fits it, else the modes of the remediators. Pure. */
import { durationMs } from '../../common/duration.ts'
import { fits, type NodeTraits } from '../../common/selector.ts'
import type { Finding, FindingStatus } from '../../detectors/contract.ts'
import { MODES, type Mode, type Reach, type Remediator, type Risk } from '../contract.ts'
import { type RemediatorSetting, whyNotAuto } from '../settings.ts'
import type { Policy, Rung, Window } from './model.ts'

/** Everything that decides what a node may do, but for its state. */
export interface Rules {
  readonly node: string
  readonly traits: NodeTraits
  /** By remediator name; those that this agent has. */
  readonly byName: ReadonlyMap<string, RemediatorSetting>
  /** In the order of the settings. */
  readonly policies: readonly Policy[]
}

/** What is to be done about one finding. */
export interface Rule {
  /** The name of the policy; `remediators.NAME` where none fits. */
  readonly policy: string
  readonly mode: Mode
  /** From the mildest to the last; every one of them handles the reason. Never empty. */
  readonly ladder: readonly LadderRung[]
  /** At any time when there are none. */
  readonly windows: readonly Window[]
  readonly coolDownMs: number
}

export interface LadderRung {
  readonly remediator: Remediator
  readonly options: unknown
  /** How often it is tried for one fault within a day before the next rung is. */
  readonly attempts: number
  /** For each of apply and revert. */
  readonly timeoutMs: number
}

/** What a policy or a remediator that leaves it out is given. Ten minutes are two looks of the slowest usual detector. */
export const COOL_DOWN_DEFAULT = '10m'
export const ATTEMPTS_DEFAULT = 1
/** As the contract of remediators says. */
const TIMEOUT_DEFAULT = '30s'

/** Nothing is mended for what is only worth knowing. */
const FAULTS: ReadonlySet<FindingStatus> = new Set(['warn', 'alarm', 'error'])

/** Mildest first. */
const REACHES: readonly Reach[] = ['none', 'process', 'host', 'workloads', 'machine']
const RISKS: readonly Risk[] = ['low', 'medium', 'dangerous']

/** What rules ask of a finding. */
export type Fault = Pick<Finding, 'node' | 'reason' | 'status' | 'held'>

/**
 * The rule for `finding`, or undefined when nothing may be done about it: it is no fault, it is held, or no remediator
 * handles its reason. Also when the policy that decides has none of its remediators here: a later one must not do more.
 */
export function ruleFor(rules: Rules, finding: Fault): Rule | undefined {
  if (finding.node !== rules.node || !FAULTS.has(finding.status) || finding.held !== undefined) return undefined
  const policy = rules.policies.find((one) => whyPassedOver(rules, one, finding) === undefined)
  return policy === undefined ? ruleOfSettings(rules, finding.reason) : ruleOfPolicy(rules, policy, finding.reason)
}

/** Why a policy leaves a finding to those after it; undefined when it decides unless one before it does. */
export function whyPassedOver(
  { traits, byName }: Rules,
  { selector, match, ladder }: Policy,
  { reason, status }: Fault,
): string | undefined {
  if (!('all' in selector || fits(selector, traits))) return 'its selector does not fit the node'
  if (!match.some((one) => (one.reason ?? reason) === reason && (one.severity ?? status) === status))
    return 'it does not match the finding'
  // What one that is missing here handles is not known.
  const mayHelp = ladder.some(({ remediator }) => byName.get(remediator)?.remediator.handles.includes(reason) ?? true)
  return mayHelp ? undefined : 'nothing in its ladder handles the reason'
}

function ruleOfPolicy({ byName }: Rules, policy: Policy, reason: string): Rule | undefined {
  const ladder = policy.ladder.flatMap((rung) => {
    const setting = byName.get(rung.remediator)
    return setting?.remediator.handles.includes(reason) ? [rungOf(setting, rung)] : []
  })
  if (ladder.length === 0) return undefined
  const { name, windows, coolDown } = policy
  // A plugin here may be another version than the one that the settings were checked with.
  const mayGoAlone = ladder.every(({ remediator }) => whyNotAuto(remediator) === undefined)
  const mode = policy.mode === 'auto' && !mayGoAlone ? 'approve' : policy.mode
  return { policy: name, mode, ladder, windows, coolDownMs: durationMs(coolDown) }
}

/** Of several remediators for one reason those that may go furthest, the mildest first. */
function ruleOfSettings({ byName }: Rules, reason: string): Rule | undefined {
  const able = [...byName.values()].filter(({ remediator }) => remediator.handles.includes(reason))
  const mode = MODES.findLast((one) => able.some((setting) => setting.mode === one))
  const chosen = able.filter((setting) => setting.mode === mode).toSorted((a, b) => harmOf(a) - harmOf(b))
  const [first] = chosen
  if (mode === undefined || first === undefined) return undefined
  return {
    policy: `remediators.${first.remediator.name}`,
    mode,
    ladder: chosen.map((setting) => rungOf(setting, { attempts: ATTEMPTS_DEFAULT })),
    windows: [],
    coolDownMs: durationMs(COOL_DOWN_DEFAULT),
  }
}

function rungOf(
  { remediator, options }: RemediatorSetting,
  { attempts, timeout }: Pick<Rung, 'attempts' | 'timeout'>,
): LadderRung {
  return { remediator, options, attempts, timeoutMs: durationMs(timeout ?? remediator.timeout ?? TIMEOUT_DEFAULT) }
}

/** By reach first, and by risk among those of one reach. */
function harmOf({ remediator: { reach, risk } }: RemediatorSetting): number {
  return REACHES.indexOf(reach) * RISKS.length + RISKS.indexOf(risk)
}
