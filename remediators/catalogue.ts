/** The reference page of remediators, made from what they declare, so that it cannot say anything else than they do. */
import { describeTouches, optionsOf } from '../detectors/catalogue.ts'
import type { Reach, Remediator, Risk } from './contract.ts'

/** Markdown for docs/remediators.md. Links are relative to docs/. */
export function renderRemediators(remediators: readonly Remediator[]): string {
  return `${[HEADER, ...remediators.map(renderRemediator)].join('\n\n')}\n`
}

const HEADER = `# Remediators

<!-- Generated from remediators/ by \`node scripts/docs.ts\`. Change it there. -->

What a node can do about what its detectors find on its own host. Each only observes until settings give it another mode:
what it would do is recorded, and nothing is done. A plan says each value that changes, from what, to what, and the command
that puts it back. Before it is carried out the host is looked at again, and nothing is done when it no longer looks as the
plan says; afterwards the detector that found the fault looks again, and everything is put back when the fault is still there.

What is written is held to the list that is given here, whatever the settings say. On which real fault each was tried is said in
[remediator-faults.md](remediator-faults.md). A program of one's own becomes a remediator by a manifest:
[plugins.md](plugins.md#a-program-as-remediator).`

const REACHES: Readonly<Record<Reach, string>> = {
  none: 'stops and restarts nothing',
  process: 'may stop or restart one process',
  host: 'may disturb the whole host',
  workloads: 'may disturb pods',
  machine: 'may restart the machine',
}
const RISKS: Readonly<Record<Risk, string>> = {
  low: 'low',
  medium: 'medium',
  dangerous: 'dangerous, and never automatic',
}

function renderRemediator(remediator: Remediator): string {
  const { name, summary, handles, reach, risk, reversible, loses, touches } = remediator
  const writes = (touches.writes ?? []).map(code)
  const options = optionsOf(remediator).map(({ path, type, byDefault, about }) =>
    row([code(path), type, code(byDefault ?? 'none'), about]),
  )
  const noWayBack =
    loses === undefined ? 'Not all of it can be put back, so it is never automatic.' : `For good it gives up ${loses}.`
  const back = reversible ? 'All of it can be put back.' : noWayBack
  return [
    `## ${name}`,
    `${summary} For ${handles.map(code).join(', ')}. It ${REACHES[reach]}; its risk is ${RISKS[risk]}. ${back}`,
    `It writes ${writes.length === 0 ? 'nothing itself' : writes.join(', ')}, and sees or runs ${describeTouches(touches, code)}.`,
    ...(options.length === 0
      ? []
      : [[row(['Option', 'Type', 'Default', 'Meaning']), row(Array(4).fill('---')), ...options].join('\n')]),
  ].join('\n\n')
}

const code = (text: string) => `\`${text}\``
const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
