/** A look of a detector, and a detector, for people: what was seen, what was made of it, how full is full. */

import { styleText } from 'node:util'
import { stringify } from 'yaml'
import { counted } from '../../common/counted.ts'
import { describeTouches, optionsOf } from '../../detectors/catalogue.ts'
import type { Detector, Judgement, Measure } from '../../detectors/contract.ts'
import { type CellStyle, table } from '../table.ts'
import { printable } from '../text.ts'
import type { Look, LookStatus } from './look.ts'

/** More facts than fill a screen nobody reads; `-o json` has them all. */
const FACT_LINES_MAX = 30
const FACT_WIDTH_MAX = 110
const BAR_CELLS = 24

const MARKS: Readonly<Record<LookStatus, { readonly mark: string; readonly style: CellStyle }>> = {
  ok: { mark: '✔', style: 'green' },
  info: { mark: '●', style: 'dim' },
  warn: { mark: '▲', style: 'yellow' },
  alarm: { mark: '✖', style: 'red' },
  error: { mark: '✖', style: 'red' },
  unknown: { mark: '?', style: 'yellow' },
  'not-applicable': { mark: '-', style: 'dim' },
}

export function markOf(status: LookStatus): { readonly text: string; readonly style: CellStyle } {
  const { mark, style } = MARKS[status]
  return { text: `${mark} ${status}`, style }
}

/** The facts, then each judgement with its evidence. */
export function renderLook(detector: Detector, look: Look): string {
  const { text, style } = markOf(look.status)
  const head = `${colour(style, text)}  ${detector.name}${look.why === '' ? '' : `: ${printable(look.why)}`}`
  const blocks = [head]
  if (look.facts !== undefined) blocks.push(`what it saw\n${indented(facts(look.facts))}`)
  blocks.push(...look.judgements.map((judgement) => renderJudgement(detector, judgement)))
  if (look.status === 'ok') blocks.push('nothing to report')
  return `${blocks.join('\n\n')}\n`
}

function facts(value: unknown): string {
  const plain: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
  const lines = stringify(plain, { lineWidth: 0 }).trimEnd().split('\n')
  const shown = lines.slice(0, FACT_LINES_MAX).map((line) => {
    const text = line.replace(/^\s*/, '')
    const cut = text.length > FACT_WIDTH_MAX ? `${text.slice(0, FACT_WIDTH_MAX)}…` : text
    return ' '.repeat(line.length - text.length) + printable(cut)
  })
  const more = lines.length - shown.length
  return more === 0 ? shown.join('\n') : `${shown.join('\n')}\n… ${counted(more, 'more line')}; -o json has them all`
}

function renderJudgement({ reasons }: Detector, { reason, cause = '', summary, evidence }: Judgement): string {
  const about = reasons[reason]
  const severity = about?.severity ?? 'error'
  const { text, style } = markOf(severity)
  const sustain = about === undefined || about.sustain === '0s' ? '' : `, reported when it lasts ${about.sustain}`
  return [
    `${colour(style, text)}  ${reason}${cause === '' ? '' : ` ${printable(cause)}`}${colour('dim', sustain)}`,
    `  ${printable(summary)}`,
    ...evidence.map((measure) => `  ${renderMeasure(measure, style)}`),
    ...(about === undefined ? [] : [`  ${colour('dim', `${about.summary} Runbook: ${about.runbook}`)}`]),
  ].join('\n')
}

/** `name ████░░ value of limit unit` where there is a share to show; else what the value was held against, after it. */
function renderMeasure({ name, value, limit, unit }: Measure, style: CellStyle): string {
  const withUnit = (figure: number | string) => `${figure} ${unit}`.trimEnd()
  if (typeof value === 'number' && typeof limit === 'number' && limit > 0 && value >= 0) {
    return `${printable(name)}  ${colour(style, gauge(value / limit))} ${printable(withUnit(`${value} of ${limit}`))}`
  }
  return `${printable(name)}  ${printable(withUnit(value))}${limit === undefined ? '' : `, against ${printable(`${limit}`)}`}`
}

function gauge(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_CELLS)
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`
}

/** Everything that the catalogue says of one detector. `but`: what of it does not hold on this host. */
export function renderDetector(detector: Detector, source: string, but: string | undefined): string {
  const { name, summary, every, timeout, needs, reasons, touches } = detector
  const reasonRows = Object.entries(reasons).map(([reason, { severity, sustain, runbook, summary: about }]) => [
    reason,
    { text: severity, style: MARKS[severity].style },
    sustain,
    runbook,
    about,
  ])
  const optionRows = optionsOf(detector).map(({ path, type, byDefault, about }) => [path, type, byDefault, about])
  return [
    `${name}  ${colour('dim', source)}\n${summary}\n`,
    `every    ${every}, for ${timeout} at most`,
    `needs    ${needs.length === 0 ? 'no privilege' : needs.join(', ')}`,
    `touches  ${describeTouches(touches)}${but === undefined ? '' : `\n         ${colour('yellow', but)}`}\n`,
    table(['REASON', 'SEVERITY', 'SUSTAIN', 'RUNBOOK', 'WHAT IT DOES TO THE NODE'], reasonRows),
    ...(optionRows.length === 0 ? [] : [table(['OPTION', 'TYPE', 'DEFAULT', 'MEANING'], optionRows)]),
  ].join('\n')
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}

function colour(style: CellStyle, text: string): string {
  return text === '' ? '' : styleText(style, text, { stream: process.stdout })
}
