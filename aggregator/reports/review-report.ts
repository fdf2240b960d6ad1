/** The review of remediation as it is laid out. Pure. */
import { COMMAS, type Language, SEMICOLONS, say, type Text } from '../../common/languages.ts'
import { MODE_WORDS } from '../../common/words/modes.ts'
import { zonedTime } from '../../inspection/zoned-time.ts'
import { OUTCOMES, type Outcome, type RuleReport } from '../outcomes/model.ts'
import {
  type Block,
  type Cell,
  figure,
  type Item,
  type Layout,
  linked,
  muted,
  plain,
  short,
  type Tone,
} from './layout.ts'
import type { Lengths, Repeated, Review } from './review.ts'
import { OUTCOME_NAMES, REVIEW } from './review-texts.ts'

export interface ReviewReportInput {
  readonly mesh: string
  readonly review: Review
  readonly language: Language
  /** IANA name. */
  readonly zone: string
  /** Where people open the page, without a slash at its end; undefined when nobody said it. */
  readonly page: string | undefined
}

const NAME_CHARS_MAX = 63
const WHY_CHARS_MAX = 240
const RULES_SHOWN = 30
const WITH_SHOWN = 5

const OUTCOME_TONES: Readonly<Record<Outcome, Tone>> = {
  verified: 'fine',
  'no-effect': 'warn',
  failed: 'error',
  reverted: 'alarm',
  'revert-failed': 'error',
}

export function reviewReport({ mesh, review, language, zone, page }: ReviewReportInput): Layout {
  const { rules } = review.remediation
  const total = (outcome: Outcome) => rules.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0)
  const [verified, reverted] = [total('verified'), total('reverted')]
  const failed = total('failed') + total('no-effect') + total('revert-failed')
  const fleet = short(mesh, NAME_CHARS_MAX)
  const at = (time: string) => zonedTime(time, zone)
  const faults = review.detectFindings.count
  const verdicts = review.detectVerdicts.count
  const counts = { verified: figure(verified), reverted: figure(reverted), failed: figure(failed) }
  return {
    language,
    subject: say(REVIEW.subject, language, { fleet, ...counts }),
    title: say(REVIEW.title, language, { fleet }),
    facts: [
      say(REVIEW.when, language, { since: at(review.since), until: at(review.until) }),
      say(REVIEW.faults, language, { faults: figure(faults), verdicts: figure(verdicts) }),
    ],
    figures: [
      { name: say(REVIEW.detected, language), value: lengthCell(mean(review, 'detect'), 'silent', language) },
      { name: say(REVIEW.repaired, language), value: lengthCell(mean(review, 'repair'), 'silent', language) },
      { name: say(OUTCOME_NAMES.verified, language), value: count(verified, 'fine') },
      { name: say(OUTCOME_NAMES.reverted, language), value: count(reverted, 'alarm') },
      { name: say(OUTCOME_NAMES.failed, language), value: count(failed, 'error') },
    ],
    sections: [
      { title: say(REVIEW.soon, language), blocks: [timesOf(review, language)] },
      { title: say(REVIEW.fixes, language), blocks: [fixesOf(rules, language)] },
      { title: say(REVIEW.repeated, language), blocks: repeatedOf(review, language) },
      { title: say(REVIEW.heldBack, language), blocks: heldBackOf(review, language) },
      { title: say(REVIEW.wouldHave, language), blocks: wouldHaveOf(review, language) },
    ],
    footer: page === undefined ? [] : [linked(say(REVIEW.onPage, language), 'muted', page)],
  }
}

/** Over findings and verdicts, each as often as it was. */
function mean(review: Review, what: 'detect' | 'repair'): number | null {
  const [a, b] = [review[`${what}Findings`], review[`${what}Verdicts`]]
  const all = a.count + b.count
  return all === 0 ? null : ((a.meanMs ?? 0) * a.count + (b.meanMs ?? 0) * b.count) / all
}

function timesOf(review: Review, language: Language): Block {
  const kinds = ['detectFindings', 'detectVerdicts', 'repairFindings', 'repairVerdicts', 'repairFixed'] as const
  const head = [REVIEW.what, REVIEW.count, REVIEW.mean, REVIEW.median, REVIEW.worst].map((text) => say(text, language))
  const cells = ({ count: many, meanMs, medianMs, worstMs }: Lengths) => [
    count(many, 'plain'),
    ...[meanMs, medianMs, worstMs].map((ms) => lengthCell(ms, 'plain', language)),
  ]
  return {
    kind: 'table',
    head,
    rows: kinds.map((kind) => [plain(say(REVIEW[kind], language)), ...cells(review[kind])]),
  }
}

function fixesOf(rules: readonly RuleReport[], language: Language): Block {
  const byRemediator = [...Map.groupBy(rules, ({ remediator }) => remediator)]
    .map(([name, of]) => ({ name, of, begun: of.reduce((sum, rule) => sum + rule.begun, 0) }))
    .filter(({ begun }) => begun > 0)
    .toSorted((a, b) => b.begun - a.begun)
  if (byRemediator.length === 0) return note(REVIEW.noFixes, language)
  const names = OUTCOMES.map((outcome) => say(OUTCOME_NAMES[outcome], language))
  return {
    kind: 'table',
    head: [say(REVIEW.remediator, language), say(REVIEW.begun, language), ...names],
    rows: byRemediator.map(({ name, of, begun }) => [
      plain(short(name, NAME_CHARS_MAX)),
      count(begun, 'plain'),
      ...OUTCOMES.map((outcome) =>
        count(
          of.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0),
          OUTCOME_TONES[outcome],
        ),
      ),
    ]),
  }
}

function repeatedOf({ nodes, reasons }: Review, language: Language): readonly Block[] {
  const item = ({ name, times, with: of }: Repeated): Item => ({
    lead: plain(short(name, NAME_CHARS_MAX)),
    tag: say(REVIEW.times, language, { count: figure(times) }),
    text: '',
    names: of
      .slice(0, WITH_SHOWN)
      .map((one) => `${short(one.name, NAME_CHARS_MAX)} ${figure(one.times)}`)
      .concat(of.length > WITH_SHOWN ? ['…'] : [])
      .join(COMMAS[language]),
  })
  const list = (title: Text, all: readonly Repeated[]): Block[] =>
    all.length === 0 ? [] : [{ kind: 'items', title: plain(say(title, language)), items: all.map(item) }]
  const blocks = [...list(REVIEW.nodes, nodes), ...list(REVIEW.reasons, reasons)]
  return blocks.length === 0 ? [note(REVIEW.noRepeated, language)] : blocks
}

function heldBackOf({ refusals, budgets }: Review, language: Language): readonly Block[] {
  const refused: Block[] = refusals.map(({ guard, times, lastWhy }) => ({
    kind: 'items',
    title: plain(short(guard, NAME_CHARS_MAX)),
    items: [
      {
        lead: plain(say(REVIEW.times, language, { count: figure(times) })),
        tag: '',
        text: short(lastWhy, WHY_CHARS_MAX),
      },
    ],
  }))
  const near: Block =
    budgets.length === 0
      ? note(REVIEW.noBudgets, language)
      : {
          kind: 'items',
          title: plain(say(REVIEW.budgets, language)),
          items: budgets.map(({ guard, last, refused: waited }) => ({
            lead: plain(short(guard, NAME_CHARS_MAX)),
            tag: '',
            text: say(REVIEW.budget, language, { last: figure(last), refused: figure(waited) }),
          })),
        }
  return [...(refused.length === 0 ? [note(REVIEW.noHeldBack, language)] : refused), near]
}

function wouldHaveOf({ remediation }: Review, language: Language): readonly Block[] {
  const rules = remediation.rules.filter(({ mode, faults }) => mode !== 'auto' && faults > 0)
  if (rules.length === 0) return [note(REVIEW.noWouldHave, language)]
  const items = rules.slice(0, RULES_SHOWN).map((rule): Item => {
    const { remediator, reason, pool, mode, faults, begun, wentAway, wentAwayMedianMs } = rule
    const record = remediation.records.find(
      (one) => one.remediator === remediator && one.reason === reason && one.pool === pool,
    )
    const sentences = [
      say(REVIEW.acted, language, {
        mode: say(MODE_WORDS[mode], language),
        faults: figure(faults),
        begun: figure(begun),
      }),
      say(REVIEW.wouldAct, language, { more: figure(Math.max(0, faults - begun)) }),
      ...(wentAway === 0
        ? []
        : [
            say(REVIEW.wentAway, language, {
              count: figure(wentAway),
              median: lengthText(wentAwayMedianMs ?? 0, language),
            }),
          ]),
    ]
    const suggestion = record?.suggestion
    const advice =
      suggestion === undefined || suggestion.what === 'keep'
        ? ''
        : say(REVIEW[suggestion.what], language, { mode: say(MODE_WORDS[suggestion.mode], language) })
    const place = pool === '' ? say(REVIEW.anyPool, language) : pool
    const text = sentences.join(SEMICOLONS[language])
    const lead = plain(short(`${remediator} · ${reason}`, 2 * NAME_CHARS_MAX))
    return { lead, tag: short(place, NAME_CHARS_MAX), text, names: advice }
  })
  return items.map((item) => ({
    kind: 'items',
    title: item.lead,
    items: [{ ...item, lead: muted(item.tag), tag: '' }],
  }))
}

function count(value: number, tone: Tone): Cell {
  return value === 0 ? muted('·') : { text: figure(value), tone }
}

function lengthCell(ms: number | null, tone: Tone, language: Language): Cell {
  return ms === null ? muted('·') : { text: lengthText(ms, language), tone }
}

const UNITS = [
  [86_400_000, REVIEW.days],
  [3_600_000, REVIEW.hours],
  [60_000, REVIEW.minutes],
] as const

/** In the largest unit that it has two of: `36 s`, `4.5 min`, `30 h`. */
function lengthText(ms: number, language: Language): string {
  const [size, unit] = UNITS.find(([one]) => ms >= 2 * one) ?? [1_000, REVIEW.seconds]
  const value = ms / size
  return say(unit, language, { count: value < 10 ? Math.round(value * 10) / 10 : figure(Math.round(value)) })
}

function note(text: Text, language: Language): Block {
  return { kind: 'note', cell: muted(say(text, language)) }
}
