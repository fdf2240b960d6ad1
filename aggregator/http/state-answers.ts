/** What the whole state looks like, and what remediation and settings tell of themselves in it (answers.ts has all else). */
import { z } from 'zod'
import { MODES, PHASES, type Remediation } from '../../remediators/contract.ts'
import type { RemediationReport } from '../outcomes/model.ts'
import type { SettingsDetail, SettingsView } from '../settings-model.ts'
import { finding, markingMode, member, office, shaped, time, verdict } from './answers.ts'

const text = z.string()
const names = z.array(text)
const number = z.number()

const pauseScope = z.union([
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.enum(['pool', 'node']), name: text }),
])

export const pause = z
  .object({ scope: pauseScope, by: text, reason: text, at: time, until: time })
  .meta({ id: 'Pause' })

const guardVerdict = z.object({
  guard: text,
  allowed: z.boolean(),
  why: text,
  restMs: number.exactOptional(),
})

const permits = z
  .object({
    approvals: z.array(z.object({ planId: text, by: text, at: time, until: time })),
    outstanding: z.array(z.object({ id: text, node: text, planId: text, remediator: text, at: time })),
    refused: z.array(
      z.object({ node: text, planId: text, at: time, guards: z.array(guardVerdict), retryAfterMs: number }),
    ),
    pauses: z.array(pause),
  })
  .meta({ id: 'Permits' })

/** As a node says it; checked where it is heard, and told here by what people look for. */
export const remediation = shaped<Remediation>(
  `plan {id, node, remediator, reason, changes…}, phase (${PHASES.join(', ')}), why, at, policy, mode (${MODES.join(', ')}), rung, attempt`,
).meta({ id: 'Remediation' })

const settings = shaped<SettingsView>(
  'version in force, applied {node: version}, refused {node: {version, why}}, rollout, held, last',
).meta({ id: 'Settings' })

export const settingsDetail = shaped<SettingsDetail>(
  'as in the state, with document (docs/settings.md) and versions that can be gone back to',
).meta({ id: 'SettingsDetail' })

export const remediationReport = shaped<RemediationReport>(
  'since, rules [{policy, mode, remediator, reason, pool, faults, plans, begun, outcomes…}], records',
).meta({ id: 'RemediationReport' })

const roster = z.object({
  stalled: text.nullable(),
  uncovered: z.array(z.object({ node: text, why: text })),
  held: z.array(z.object({ kind: z.enum(['removals', 'growth']), nodes: names, why: text })),
})

export const state = z
  .object({
    office,
    marking: z.object({ mode: markingMode, pools: z.record(text, markingMode), stalled: text.nullable() }).nullable(),
    mesh: z.object({
      id: text,
      leader: text,
      epoch: number,
      version: text,
      frozen: text.nullable(),
      blind: z.object({ why: text, subjects: names }).nullable(),
      hasQuorum: z.boolean(),
    }),
    notice: text,
    members: z.array(member),
    roster: roster.nullable(),
    findings: z.array(finding),
    verdicts: z.array(verdict),
    remediations: z.array(remediation),
    permits,
    settings,
    copies: z.object({ others: names, behind: number, isSingle: z.boolean() }).nullable(),
  })
  .meta({ id: 'State' })

/** As pages are told it by the stream (stream/told-state.ts has the shapes). */
export const toldState = state
  .extend({ number, wellFindings: z.object({ ok: number, notApplicable: number }) })
  .meta({ id: 'ToldState' })

const parts = toldState
  .omit({ number: true, members: true, findings: true, verdicts: true, remediations: true })
  .partial()

export const stateChange = z
  .object({
    basedOn: number,
    number,
    parts,
    members: changesOf(member),
    findings: changesOf(finding),
    verdicts: changesOf(verdict),
    remediations: changesOf(remediation),
  })
  .meta({ id: 'StateChange' })

function changesOf(schema: z.ZodType) {
  return z.object({ put: z.array(schema), removed: names })
}
