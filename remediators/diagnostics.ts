/**
 * Gathers what could be of use afterwards, before a fix changes anything: the finding, the plan, the votes, the last lines of
 * the journal and what the kernel says of memory, load, pressure, mounts and sockets. Redacted as a recorded host is.
 */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf } from '../common/errors.ts'
import { type Finding, type Host, JOURNALCTL, type Touches } from '../detectors/contract.ts'
import { guardedHost } from '../detectors/host/guarded.ts'
import { redactor } from '../detectors/recording/redact.ts'
import type { Plan } from './contract.ts'
import { restartableFor } from './units/table.ts'

export interface DiagnosticsInit {
  /** The agent's state folder; a folder for each plan is made in `diagnostics/` below it. */
  readonly stateDir: string
  readonly host: Host
  /** What this host is called, and the other nodes of the mesh: none of these names is written down. */
  readonly names: readonly string[]
  readonly others: () => readonly string[]
  /** What else is known of a plan at this moment; what is not known is left out. */
  readonly about: (plan: Plan) => { readonly finding?: Finding; readonly votes?: unknown }
}

/** Of all files of a plan. */
export const BUNDLE_BYTES_MAX = 1024 * 1024
/** Of plans; the folders written to longest ago go first. */
export const BUNDLES_MAX = 20
/** So that a long journal leaves room for everything else. */
const FILE_BYTES_MAX = 128 * 1024
/** Less than the engine waits for all of it, so that what was gathered by then is kept. */
const READ_WITHIN_MS = 10_000
const LINES = 200
const NODE = 'this-node'
/** As plan.ts makes them. */
const PLAN_ID = /^fix-[0-9a-f]{20}$/

const PROC = ['meminfo', 'loadavg', 'pressure/cpu', 'pressure/memory', 'pressure/io', '1/mounts', '1/net/sockstat']
const TOUCHES: Touches = { paths: PROC.map((path) => `/proc/${path}`), commands: [JOURNALCTL] }

/**
 * What it returns gathers for one plan and resolves with the folder where it lies. A part that cannot be seen says why in its
 * place; it rejects when nothing can be written.
 */
export function createCollector(init: DiagnosticsInit): (plan: Plan) => Promise<string> {
  const host = guardedHost(init.host, TOUCHES)
  return async (plan) => {
    if (!PLAN_ID.test(plan.id)) throw new Error(`${JSON.stringify(plan.id.slice(0, 80))} is no id of a plan`)
    const folder = join(init.stateDir, 'diagnostics', plan.id)
    const parts = await gather(init, host, plan)
    // Whole or not at all, whenever the agent is killed.
    const unfinished = `${folder}.unfinished`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true, mode: 0o700 })
    for (const [name, text] of parts) await writeFile(join(unfinished, name), text, { mode: 0o600 })
    await rm(folder, { recursive: true, force: true })
    await rename(unfinished, folder)
    await removeOldest(dirname(folder))
    return folder
  }
}

/** Text by name of file, redacted and cut. */
async function gather(
  { names, others, about }: DiagnosticsInit,
  host: Host,
  plan: Plan,
): Promise<ReadonlyMap<string, Buffer>> {
  const signal = AbortSignal.timeout(READ_WITHIN_MS)
  const { finding, votes } = about(plan)
  const unit = restartableFor(plan.reason, plan.cause)?.units ?? []
  const parts: readonly (readonly [name: string, text: string | Promise<string>])[] = [
    ['plan.json', json(plan)],
    ...(finding === undefined ? [] : [['finding.json', json(finding)] as const]),
    ...(votes === undefined ? [] : [['votes.json', json(votes)] as const]),
    ...PROC.map((path) => [`proc-${path.replaceAll('/', '-')}`, host.readText(`/proc/${path}`)] as const),
    ['journal-kernel', journalOf(host, ['--dmesg'], signal)],
    ...unit.map((name) => [`journal-${name}`, journalOf(host, [`--unit=${name}`], signal)] as const),
  ]
  const texts = await Promise.allSettled(parts.map(([, text]) => text))
  const redact = redactor(names, NODE, others())
  const bundle = new Map<string, Buffer>()
  let room = BUNDLE_BYTES_MAX
  for (const [index, [name]] of parts.entries()) {
    const said = texts[index]
    const text = said?.status === 'fulfilled' ? said.value : `cannot be seen: ${messageOf(said?.reason)}\n`
    const bytes = lastOf(redact(text), Math.min(room, FILE_BYTES_MAX))
    room -= bytes.length
    bundle.set(name, bytes)
  }
  return bundle
}

async function journalOf(host: Host, which: readonly string[], signal: AbortSignal): Promise<string> {
  const words = ['--no-pager', '--utc', '--output=short-iso', `--lines=${LINES}`, ...which] as const
  const { code, stdout, stderr } = await host.run([JOURNALCTL, ...words], { signal, bytesMax: BUNDLE_BYTES_MAX })
  if (code === 0) return stdout
  throw new Error(`journalctl failed (${code ?? 'killed'}): ${stderr.trim().slice(0, 200)}`)
}

/** The end of it: what came last is what led up to the fault. */
function lastOf(text: string, bytesMax: number): Buffer {
  const bytes = Buffer.from(text)
  return bytes.subarray(Math.max(0, bytes.length - bytesMax))
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Also what a killed agent left unfinished. */
async function removeOldest(parent: string): Promise<void> {
  const names = await readdir(parent)
  const dated = await Promise.all(names.map(async (name) => ({ name, ms: (await stat(join(parent, name))).mtimeMs })))
  const newestFirst = dated.toSorted((a, b) => b.ms - a.ms)
  for (const { name } of newestFirst.slice(BUNDLES_MAX)) await rm(join(parent, name), { recursive: true })
}
