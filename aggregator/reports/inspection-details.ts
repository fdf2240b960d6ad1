/**
 * Part two of the report of an inspection: which nodes, and why. Bounded, since mail programs cut what is longer than some 100 KB:
 * of each reason some nodes are told in full, more by name, and the rest by a link. Pure.
 */
import { COMMAS, type Language, say } from '../../common/languages.ts'
import { TROUBLE_COLUMNS, type Trouble } from '../../inspection/model.ts'
import { checkTitle, INSPECTION_TEXTS, SILENT_TEXTS } from '../../inspection/texts.ts'
import { type InspectionReportInput, linkTo, TONES, worstFirst } from './inspection-input.ts'
import { type Block, figure, type Item, linked, muted, short } from './layout.ts'
import { COLUMN_NAMES, INSPECTION } from './texts.ts'

/** Of one reason of one check. */
const IN_FULL_MAX = 5
/** Of one list of names. */
const NAMES_MAX = 20
/** Of all of them as a page, with what surrounds each; what is left out is the mildest. */
const BYTES_MAX = 36_000
const BYTES_AROUND = 900
const NAME_CHARS_MAX = 80
const SUMMARY_CHARS_MAX = 240

export function detailsOf(input: InspectionReportInput): readonly Block[] {
  const { run, role, language } = input
  const troubles = run.troubles.filter(({ roles }) => roles.includes(role))
  const checks = run.sections.find((one) => one.role === role)?.checks.toSorted(worstFirst) ?? []
  const blocks: Block[] = []
  let room = BYTES_MAX
  let leftOut = 0
  for (const row of checks) {
    const { check } = row
    const of = troubles.filter((trouble) => trouble.check === check)
    if (of.length === 0) continue
    const byReason = [...Map.groupBy(of, ({ column, reason }) => JSON.stringify([column, reason])).values()]
    const items: Item[] = []
    for (const group of byReason.toSorted((a, b) => rankOfFirst(a) - rankOfFirst(b))) {
      const more = itemsOf(input, group)
      room -= more.reduce((sum, item) => sum + bytesOf(item), 0)
      if (room < 0) leftOut += group.length
      else items.push(...more)
    }
    if (items.length === 0) continue
    const words = { check: checkTitle(row, language), count: figure(of.length) }
    const title = linked(say(INSPECTION.checkTitle, language, words), 'plain', linkTo(input, { check }))
    blocks.push({ kind: 'items', title, items })
  }
  // Of all roles together: of which they are is not kept.
  const more = leftOut + (run.leftOut ?? 0)
  if (more > 0) {
    const text = say(INSPECTION.moreTroubles, language, { count: figure(more) })
    blocks.push({ kind: 'note', cell: linked(text, 'plain', linkTo(input)) })
  }
  const silent = silentBlock(input)
  if (blocks.length === 0 && silent === undefined)
    return [{ kind: 'note', cell: muted(say(INSPECTION.noDetails, language)) }]
  return silent === undefined ? blocks : [silent, ...blocks]
}

function bytesOf(item: Item): number {
  return (
    BYTES_AROUND +
    new TextEncoder().encode(`${item.lead.link}${item.lead.text}${item.tag}${item.text}${item.names}`).length
  )
}

function rankOfFirst([first]: readonly Trouble[]): number {
  return first === undefined ? TROUBLE_COLUMNS.length : TROUBLE_COLUMNS.indexOf(first.column)
}

/** All of one column and reason; nodes of which the same is said stand together. */
function itemsOf(input: InspectionReportInput, group: readonly Trouble[]): Item[] {
  const { language } = input
  const [first] = group
  if (first === undefined) return []
  const { check, column, reason } = first
  const badge = { text: say(COLUMN_NAMES[column], language), tone: TONES[column] }
  const tag = short(reason, NAME_CHARS_MAX)
  const link = linkTo(input, { check, column })
  const many = (text: string, nodes: readonly Trouble[], summary: string): Item => {
    const lead = linked(text, 'link', link)
    return { badge, lead, tag, text: summary, names: namesOf(nodes, language) }
  }
  const sorted = group.toSorted((a, b) => byName(a.node, b.node))
  const same = [...Map.groupBy(sorted, ({ summary }) => summary)].map(([summary, nodes]) => ({ summary, nodes }))
  const shown = same.length === IN_FULL_MAX + 1 ? same : same.slice(0, IN_FULL_MAX)
  const items = shown.map(({ summary, nodes }): Item => {
    const text = moreOf(nodes, short(summary, SUMMARY_CHARS_MAX), language)
    const [one, another] = nodes
    if (one === undefined || another !== undefined)
      return many(say(INSPECTION_TEXTS.nodes, language, { count: figure(nodes.length) }), nodes, text)
    const { node } = one
    const lead = linked(short(node, NAME_CHARS_MAX), 'link', linkTo(input, { check, column, node }))
    return { badge, lead, tag, text }
  })
  const rest = same.slice(shown.length).flatMap(({ nodes }) => nodes)
  if (rest.length === 0) return items
  return [...items, many(say(INSPECTION.moreNodes, language, { count: figure(rest.length) }), rest, '')]
}

function silentBlock(input: InspectionReportInput): Block | undefined {
  const { run, role, language } = input
  const silent = run.silent.filter(({ roles }) => roles.includes(role)).toSorted((a, b) => byName(a.node, b.node))
  if (silent.length === 0) return undefined
  const words = { check: say(INSPECTION_TEXTS.silentNodes, language), count: figure(silent.length) }
  const link = linkTo(input, { column: 'silent' })
  const title = linked(say(INSPECTION.checkTitle, language, words), 'silent', link)
  const badge = { text: say(COLUMN_NAMES.silent, language), tone: TONES.silent }
  const items = silent.slice(0, NAMES_MAX).map(({ node, why }): Item => {
    const lead = linked(short(node, NAME_CHARS_MAX), 'link', linkTo(input, { column: 'silent', node }))
    return { badge, lead, tag: '', text: say(SILENT_TEXTS[why], language) }
  })
  const rest = silent.slice(NAMES_MAX)
  if (rest.length === 0) return { kind: 'items', title, items }
  const text = say(INSPECTION.moreNodes, language, { count: figure(rest.length) })
  const more = { badge, lead: linked(text, 'link', link), tag: '', text: '', names: namesOf(rest, language) }
  return { kind: 'items', title, items: [...items, more] }
}

/** A check that found several things on a node tells of one. */
function moreOf([first]: readonly Trouble[], summary: string, language: Language): string {
  const { reason = '', more = 0 } = first ?? {}
  const text = summary === '' && reason === 'NotReported' ? say(INSPECTION_TEXTS.notReported, language) : summary
  return more === 0 ? text : say(INSPECTION.moreFindings, language, { summary: text, count: figure(more) })
}

function namesOf(nodes: readonly { readonly node: string }[], language: Language): string {
  const names = nodes
    .slice(0, NAMES_MAX)
    .map(({ node }) => short(node, NAME_CHARS_MAX))
    .join(COMMAS[language])
  const rest = nodes.length - NAMES_MAX
  return rest <= 0 ? names : say(INSPECTION.andMore, language, { nodes: names, count: figure(rest) })
}

/** node-9 before node-10. */
const collator = new Intl.Collator('en', { numeric: true })

function byName(a: string, b: string): number {
  return collator.compare(a, b)
}
