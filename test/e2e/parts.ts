/**
 * Parts of a node that a test breaks: a detector that finds what is broken, and for each kind a remediator. All of them are
 * manifests of plugins, as anybody writes them, over files in a folder.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Reach } from '../../remediators/contract.ts'

interface Kind {
  readonly reason: string
  readonly reach: Reach
  /** In whose hands nothing gets better: what it did is put back. */
  readonly inVain?: true
}

const KINDS = {
  belt: { reason: 'BeltSlipped', reach: 'none' },
  lamp: { reason: 'LampOut', reach: 'none' },
  gate: { reason: 'GateStuck', reach: 'none' },
  filter: { reason: 'FilterClogged', reach: 'none' },
  gauge: { reason: 'GaugeOff', reach: 'none' },
  pipe: { reason: 'PipeLeaks', reach: 'none', inVain: true },
  pump: { reason: 'PumpStopped', reach: 'process' },
} as const satisfies Record<string, Kind>

export type Part = keyof typeof KINDS

/** Of their own detector, whose version can be another on one node. */
const GAUGES: readonly Part[] = ['gauge']
const PARTS = (Object.keys(KINDS) as Part[]).filter((part) => !GAUGES.includes(part))

/** A folder of broken parts, or the name of one with ADDRESS for the node's own on a network of 10.77.0.0/24. */
const SCRIPT = `#!/bin/sh
folder=$1
case $folder in *ADDRESS*)
  own=$(ip -o -4 address show | sed -n 's|.* \\(10\\.77\\.0\\.[0-9]*\\)/.*|\\1|p')
  folder=$(printf %s "$folder" | sed "s|ADDRESS|$own|") ;;
esac
case $2 in
  print) cat "$folder"/*.prom ;;
  state) if [ -e "$folder/$3" ]; then echo broken; else echo whole; fi ;;
  mend) rm -f "$folder/$3" ;;
  spoil) echo "$4" > "$folder/$3" ;;
esac
`

export function reasonOf(part: Part): string {
  return KINDS[part].reason
}

export function remediatorOf(part: Part): string {
  return `mend-${part}`
}

/** A policy over these parts, for the settings. */
export function policyOf(
  name: string,
  mode: 'observe' | 'approve' | 'auto',
  parts: readonly Part[],
  nodes?: readonly string[],
) {
  return {
    name,
    selector: nodes === undefined ? { all: true } : { nodes },
    match: parts.map((part) => ({ reason: reasonOf(part) })),
    mode,
    ladder: parts.map((part) => ({ remediator: remediatorOf(part), attempts: 10 })),
    coolDown: '1m',
  }
}

/** Into a folder for plugins; `broken` is where broken parts are. Nothing is broken until `breakPart` says so. */
export function writePlugins(plugins: string, broken: string): void {
  mkdirSync(plugins, { recursive: true, mode: 0o700 })
  writeFileSync(join(plugins, 'parts.sh'), SCRIPT, { mode: 0o700 })
  writeDetector(plugins, broken, 'parts', PARTS)
  writeGauges(plugins, broken, '1.0.0')
  for (const part of Object.keys(KINDS) as Part[]) writeRemediator(plugins, broken, part)
}

export function writeGauges(plugins: string, broken: string, version: string): void {
  writeDetector(plugins, broken, 'gauges', GAUGES, version)
}

export function prepareNode(broken: string): void {
  mkdirSync(broken, { recursive: true, mode: 0o700 })
  writeFileSync(join(broken, 'all.prom'), 'parts_broken 0\n')
  writeFileSync(join(broken, 'unsealed'), '')
}

export function breakPart(broken: string, part: Part): void {
  const file = fileOf(part)
  writeFileSync(join(broken, `.${part}`), lineOf(part))
  renameSync(join(broken, `.${part}`), join(broken, file))
}

/** As by somebody else. */
export function mendPart(broken: string, part: Part): void {
  rmSync(join(broken, fileOf(part)), { force: true })
}

function writeDetector(plugins: string, broken: string, name: string, parts: readonly Part[], version = '1.0.0'): void {
  const rules = parts.map((part) => {
    return { metric: `${part}_broken`, above: 0, reason: reasonOf(part), optional: true }
  })
  const reasons = Object.fromEntries(
    parts.map((part) => [
      reasonOf(part),
      { severity: 'alarm', sustain: '0s', summary: `A ${part} is broken.`, runbook: 'Mend it.' },
    ]),
  )
  // A program that writes metrics; on a machine that nodes share it is the program that knows whose it is.
  const source = broken.includes('ADDRESS')
    ? { command: [join(plugins, 'parts.sh'), broken, 'print'], user: 'agent' }
    : { file: join(broken, '*.prom'), maxAge: '1d' }
  const base = { name, version, summary: 'What is broken.', dialect: 'textfile', every: '2s', timeout: '2s' }
  writeFileSync(join(plugins, `${name}.yaml`), stringify({ ...base, ...source, rules, reasons }))
}

function writeRemediator(plugins: string, broken: string, part: Part): void {
  const { reason, reach, inVain } = KINDS[part] as Kind
  const file = inVain ? 'unsealed' : fileOf(part)
  const command = (...verb: readonly string[]) => [join(plugins, 'parts.sh'), broken, ...verb]
  const manifest = {
    kind: 'remediator',
    name: remediatorOf(part),
    version: '1.0.0',
    summary: `Mends a ${part}.`,
    handles: [reason],
    ...{ reach, risk: 'low', reversible: true },
    state: { command: command('state', file), wanted: 'whole' },
    apply: command('mend', file),
    revert: command('spoil', file, lineOf(part).trim()),
    timeout: '20s',
  }
  writeFileSync(join(plugins, `${remediatorOf(part)}.yaml`), stringify(manifest))
}

function fileOf(part: Part): string {
  return `${part}.prom`
}

function lineOf(part: Part): string {
  return `${part}_broken 1\n`
}
