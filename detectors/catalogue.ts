/** The reference page of detectors, made from what they declare, so that it cannot say anything else than they do. */
import { z } from 'zod'
import type { Detector, Importance, Reason, Touches } from './contract.ts'

/** Markdown for docs/detectors.md. Links are relative to docs/. */
export function renderCatalogue(detectors: readonly Detector[]): string {
  return `${[HEADER, renderDetectors(detectors)].join('\n\n')}\n`
}

/** The part of it about these, for a page of one's own. */
export function renderDetectors(detectors: readonly Detector[]): string {
  return detectors.map(renderDetector).join('\n\n')
}

const HEADER = `# Detectors

<!-- Generated from detectors/ by \`node scripts/docs.ts\`. Change it there. -->

What each node looks at on its own host. Every detector is on unless settings say \`enabled: false\`; \`every\` changes how
often it looks. A fault is reported once it has been seen without a break for its *sustain*, and reported gone once it has
been gone for as long, unless another time is said here. One that went three times within an hour is flapping: it stays
reported until it was gone for a time that grows each time it goes, up to half an hour. A report that is not renewed within
three intervals turns to \`unknown\`.

Three reasons belong to every detector: \`Ok\` (nothing to report), \`NotApplicable\` (the host has no such thing) and
\`ProbeFailed\` (it could not look: status \`unknown\`, which never triggers a fix).`

/** What is said of a detector beside its interval: see engine/budget.ts. */
const PACES: Readonly<Record<Importance, string>> = {
  vital: ' and never more rarely',
  usual: '',
  extra: ', the first to look more rarely when all together cost too much',
}

function renderDetector(detector: Detector): string {
  const { name, summary, every, timeout, needs, reasons, importance = 'usual' } = detector
  const reasonRows = Object.entries(reasons).map(([reason, about]) => reasonRow(reason, about))
  const optionRows = optionsOf(detector).map(({ path, type, byDefault, about }) =>
    row([code(path), type, code(byDefault), about]),
  )
  return [
    `## ${name}`,
    `${summary} Looks every ${every}${PACES[importance]}, for ${timeout} at most; needs ${needs.length === 0 ? 'no privilege' : needs.map(code).join(', ')}.`,
    `It touches ${describeTouches(detector.touches, code)}.`,
    [row(['Reason', 'Severity', 'Sustain', 'What it does to the node', 'Runbook']), divider(5), ...reasonRows].join(
      '\n',
    ),
    [row(['Option', 'Type', 'Default', 'Meaning']), divider(4), ...optionRows].join('\n'),
  ].join('\n\n')
}

/** What a detector touches, in words, as people are shown it before they let it run. `name` writes a path or program. */
export function describeTouches(touches: Touches, name = (text: string) => text): string {
  const { paths = [], filesystems = [], commands = [], services = [], peers = false } = touches
  const parts = [
    ...paths.map(name),
    ...filesystems.map((path) => `how full the filesystem of ${name(path)} is`),
    ...commands.map((command) => `the program ${name(command)}`),
    ...services.map((service) => `the service ${name(service)}`),
    ...(peers ? ['what the mesh measures of its peers'] : []),
  ]
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

function reasonRow(name: string, { severity, sustain, clearAfter, summary, runbook }: Reason): string {
  const times = clearAfter === undefined ? sustain : `${sustain}, gone after ${clearAfter}`
  return row([code(name), severity, times, summary, runbookCell(runbook)])
}

/** A plugin's is the address of a page or what to do in words; a name alone is a page of docs/runbooks/. */
function runbookCell(runbook: string): string {
  if (/^https?:\/\/\S+$/.test(runbook)) return `<${runbook}>`
  return /^[a-z0-9-]+$/.test(runbook) ? `[${runbook}](runbooks/${runbook}.md)` : runbook
}

/** One option of a detector, as people are told of it. */
export interface OptionDoc {
  readonly path: string
  readonly type: string
  readonly byDefault: string
  readonly about: string
}

export function optionsOf({ options }: Pick<Detector, 'options'>): readonly OptionDoc[] {
  const schema = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' })
  const defaults = options.parse({}) as Record<string, unknown>
  return Object.entries(schema.properties ?? {}).map(([path, property]) => {
    const { type, description } = typeof property === 'object' ? property : {}
    return { path, type: String(type ?? 'any'), byDefault: JSON.stringify(defaults[path]), about: description ?? '' }
  })
}

const code = (text: string) => `\`${text}\``
const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
const divider = (columns: number) => `|${' --- |'.repeat(columns)}`
