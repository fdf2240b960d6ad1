/** Policies against what there is: their remediators, the reasons of their findings, and what may go without a person. */
import { UsageError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import type { Severity } from '../../detectors/contract.ts'
import type { Remediator } from '../contract.ts'
import { AUTO_REMEDY, whyNotAuto } from '../settings.ts'
import type { PoliciesSettings } from './schema.ts'

/** What policies can be about. */
export interface PolicyWords {
  readonly remediators: readonly Remediator[]
  /** Of every detector, with the severity that its catalogue gives it. */
  readonly reasons: ReadonlyMap<string, Severity>
}

type PolicySettings = PoliciesSettings[number]

/**
 * Throws UsageError that names the place below `where`, and the nearest name to an unknown one, or what to write instead.
 * What could never do anything is a mistake, and refused as well.
 */
export function checkPolicies(policies: PoliciesSettings, words: PolicyWords, where: string): void {
  for (const [index, policy] of policies.entries()) {
    const place = `${where}.${index}`
    const ladder = ladderOf(policy, words.remediators, place)
    checkMatch(policy, words.reasons, place)
    checkSense(policy, ladder, words, place)
    checkAuto(policy, ladder, place)
  }
}

/** Those of which `words` knows all that they name. For settings that were taken where more is known. */
export function knownPolicies(policies: PoliciesSettings, { remediators, reasons }: PolicyWords): PoliciesSettings {
  return policies.filter(
    ({ ladder, match }) =>
      ladder.every((rung) => remediators.some(({ name }) => name === rung.remediator)) &&
      match.every(({ reason }) => reason === undefined || reasons.has(reason)),
  )
}

function ladderOf(
  { ladder }: PolicySettings,
  remediators: readonly Remediator[],
  where: string,
): readonly Remediator[] {
  return ladder.map(({ remediator: wanted }, index) => {
    const found = remediators.find(({ name }) => name === wanted)
    if (found !== undefined) return found
    const names = remediators.map(({ name }) => name)
    throw new UsageError(`${where}.ladder.${index}.remediator: unknown remediator "${wanted}"`, meant(wanted, names))
  })
}

function checkMatch({ match }: PolicySettings, reasons: PolicyWords['reasons'], where: string): void {
  for (const [index, { reason, severity }] of match.entries()) {
    if (reason === undefined) continue
    const place = `${where}.match.${index}`
    const has = reasons.get(reason)
    if (has === undefined)
      throw new UsageError(`${place}.reason: unknown reason "${reason}"`, meant(reason, [...reasons.keys()]))
    if (has === 'info') throw new UsageError(`${place}: ${reason} is info, and nothing is mended for that`)
    if (severity !== undefined && severity !== has)
      throw new UsageError(`${place}: ${reason} is ${has}, never ${severity}`, 'leave severity out')
  }
}

/** Each reason has a rung that handles it, and each rung a reason that it handles. */
function checkSense({ match }: PolicySettings, ladder: readonly Remediator[], words: PolicyWords, where: string): void {
  for (const [index, { reason }] of match.entries()) {
    if (reason === undefined || ladder.some(({ handles }) => handles.includes(reason))) continue
    const able = words.remediators.filter(({ handles }) => handles.includes(reason)).map(({ name }) => name)
    const remedy = able.length === 0 ? 'no remediator does' : `these do: ${able.join(', ')}`
    throw new UsageError(`${where}.match.${index}: none of the ladder handles ${reason}`, remedy)
  }
  const idle = ladder.findIndex(({ handles }) => match.every(({ reason }) => reason && !handles.includes(reason)))
  const { name, handles } = ladder[idle] ?? {}
  if (handles === undefined) return
  const what = `${where}.ladder.${idle}: ${name} handles nothing that this policy matches`
  throw new UsageError(what, `it handles ${handles.join(', ')}`)
}

function checkAuto({ mode }: PolicySettings, ladder: readonly Remediator[], where: string): void {
  if (mode !== 'auto') return
  for (const remediator of ladder) {
    const why = whyNotAuto(remediator)
    if (why !== undefined)
      throw new UsageError(`${where}.mode: auto is not for ${remediator.name}: ${why}`, AUTO_REMEDY)
  }
}

function meant(word: string, names: readonly string[]): string {
  const name = nearest(word, names)
  if (name !== undefined) return `did you mean "${name}"?`
  return names.length > 30 ? 'docs/detectors.md lists them' : `there are: ${names.join(', ')}`
}
