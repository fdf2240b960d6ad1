/**
 * Restarts one of a few units of systemd, where containers go on meanwhile. `systemctl restart` asks systemd over D-Bus and
 * waits for it. What ran before cannot be brought back, and was dead or hung.
 */
import { z } from 'zod'
import { type Host, NotApplicable, Unreachable } from '../detectors/contract.ts'
import { DAEMON_JSON, isObject, parseDaemonJson } from '../detectors/reading/docker-logs.ts'
import { propertyBlocks, SYSTEMCTL, systemctl } from '../detectors/reading/units.ts'
import { defineRemediator, type Plan, StalePlan } from './contract.ts'
import { RESTART_REASONS, RESTARTABLE, type Restartable, restartableFor } from './units/table.ts'

const PROPERTIES = [
  'Id',
  'LoadState',
  'UnitFileState',
  'ActiveState',
  'SubState',
  'StateChangeTimestamp',
  'InvocationID',
  'KillMode',
  'RequiredBy',
  'BoundBy',
  'ConsistsOf',
  'RequisiteOf',
  'PropagatesStopTo',
] as const
/** Lists of units that a stop of this one reaches, and so a restart as well (systemd.unit(5)). */
const REACHED = ['RequiredBy', 'BoundBy', 'ConsistsOf', 'RequisiteOf', 'PropagatesStopTo'] as const
const ANEW = 'active, started anew'
const DOCKER_SOCKET = 'unix:/run/docker.sock'
/** A dockerd that hangs is one that is to be restarted. */
const INFO_MS = 2_000
/** Containers go on without these, whatever else needs a runtime. */
const MAY_FOLLOW = ['kubelet.service', 'docker.socket', 'cri-docker.service']

const NAMES = RESTARTABLE.flatMap(({ units }) => units)
const EFFECTS = RESTARTABLE.map(({ units, effect }) => `${units.join(' or ')}: ${effect}`).join('. ')

interface Unit {
  readonly name: string
  readonly active: string
  readonly invocation: string
  /** State, since when, and the id that systemd gives each run of a unit: what a plan was made for. */
  readonly state: string
  readonly killMode: string
  /** Units that are restarted with it, if they run. */
  readonly following: readonly string[]
}

interface Seen {
  readonly name: string
  readonly state: string
  readonly effect: string
}

export const restartUnit = defineRemediator({
  name: 'restart-unit',
  summary: 'Restarts the kubelet, containerd, dockerd, cAdvisor or chronyd, where containers go on meanwhile.',
  handles: RESTART_REASONS,
  reach: 'process',
  risk: 'medium',
  reversible: false,
  loses: 'what the service held in memory',
  // systemd gives a service 90 s to end (DefaultTimeoutStopSec=).
  timeout: '2m',
  touches: { paths: [DAEMON_JSON], commands: [...SYSTEMCTL], services: [DOCKER_SOCKET] },
  options: z.strictObject({
    units: z.array(z.enum(NAMES)).default(NAMES).describe(`Units that may be restarted. What that does: ${EFFECTS}.`),
  }),

  async inspect(host, finding, { units }, signal): Promise<Seen> {
    signal.throwIfAborted()
    const what = restartableFor(finding.reason, finding.cause)
    if (what === undefined) throw new NotApplicable('this is about no unit that may be restarted')
    const unit = await unitOf(host, what, signal)
    if (!units.includes(unit.name)) throw new NotApplicable(`${unit.name} may not be restarted here, by the settings`)
    const followers = await requireHarmless(host, what, unit, signal)
    const also = followers.length === 0 ? '' : `; ${followers.join(', ')} is restarted with it`
    return { name: unit.name, state: unit.state, effect: what.effect + also }
  },

  plan(_finding, _options, { name, state, effect }) {
    return [{ what: `${name}: ${effect}`, before: state, after: ANEW, undo: '# a restart cannot be undone' }]
  },

  async apply(plan, { host }, signal) {
    const { name, before } = decided(plan)
    const what = RESTARTABLE.find(({ units }) => units.includes(name))
    if (what === undefined) throw new Error(`${name} is no unit that may be restarted`)
    const unit = await unitOf(host, what, signal)
    if (unit.state !== before) {
      const isAnew = unit.active === 'active' && !before.includes(`invocation ${unit.invocation}`)
      if (isAnew) return
      throw new StalePlan(`${name} is ${unit.state}, and the plan was made for ${before}`)
    }
    await requireHarmless(host, what, unit, signal)
    // One that failed too often is not started, also by hand, before that is forgotten.
    if (unit.active === 'failed') await systemctl(host, ['reset-failed', '--', unit.name], signal)
    await systemctl(host, ['restart', '--', unit.name], signal)
    const after = await unitOf(host, what, signal)
    if (after.active !== 'active') throw new Error(`${name} is ${after.state} after its restart`)
  },

  async revert() {
    // What ran before has ended; the one that runs now is left running.
  },
})

/** Throws NotApplicable where there is none, an Error for one that somebody does not want to run. */
async function unitOf(host: Host, { units }: Restartable, signal: AbortSignal): Promise<Unit> {
  const said = await systemctl(host, ['show', `--property=${PROPERTIES.join(',')}`, '--', ...units], signal)
  const block = propertyBlocks(said).find((one) => one.get('LoadState') !== 'not-found')
  if (block === undefined) throw new NotApplicable(`systemd has no ${units.join(' or ')} here`)
  const get = (property: (typeof PROPERTIES)[number]) => block.get(property) ?? ''
  const name = get('Id')
  if (!units.includes(name)) throw new Error(`systemctl shows ${JSON.stringify(name.slice(0, 80))}, not ${units[0]}`)
  if (get('LoadState') !== 'loaded') throw new Error(`${name} is ${get('LoadState').slice(0, 80)}`)
  if (get('SubState') === 'auto-restart') throw new Error(`systemd is about to start ${name} again by itself`)
  const [active, invocation] = [get('ActiveState'), get('InvocationID') || 'none']
  // One that is up may have been started by its socket.
  if (get('UnitFileState') === 'disabled' && active !== 'active') {
    throw new Error(`${name} is disabled: somebody does not want it to run`)
  }
  const state = `${active} (${get('SubState')}) since ${get('StateChangeTimestamp') || 'the start'}, invocation ${invocation}`
  return {
    name,
    active,
    invocation,
    state: state.slice(0, 300),
    killMode: get('KillMode'),
    following: REACHED.flatMap((list) => get(list).split(' ').filter(Boolean)),
  }
}

/** Throws an Error when containers could stop. Returns the units that are restarted with it, which all may be. */
async function requireHarmless(
  host: Host,
  { holdsShims, needsLiveRestore }: Restartable,
  { name, killMode, following }: Unit,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (holdsShims && killMode !== 'process') {
    throw new Error(`${name} has KillMode=${killMode.slice(0, 40)}: a restart would stop all containers`)
  }
  if (needsLiveRestore) await requireLiveRestore(host, signal)
  if (following.length === 0) return []
  const said = await systemctl(host, ['show', '--property=Id,ActiveState', '--', ...following], signal)
  const running = propertyBlocks(said).filter((block) => block.get('ActiveState') === 'active')
  const names = [...new Set(running.map((block) => (block.get('Id') ?? '').slice(0, 80)))]
  const harmful = names.filter((one) => !MAY_FOLLOW.includes(one))
  if (harmful.length > 0) throw new Error(`${harmful.slice(0, 3).join(', ')} would be restarted with ${name}`)
  return names
}

/** In the file, for the next dockerd; and in that which runs, if it says so: the file may be newer than it. */
async function requireLiveRestore(host: Host, signal: AbortSignal): Promise<void> {
  const refusal = new Error(`without live-restore in ${DAEMON_JSON} a restart of dockerd stops all containers`)
  const text = await host.readText(DAEMON_JSON).catch((error: unknown) => {
    throw error instanceof NotApplicable ? refusal : error
  })
  if (parseDaemonJson(text)['live-restore'] !== true) throw refusal
  try {
    const { body } = await host.get(`${DOCKER_SOCKET}:/info`, { signal, withinMs: INFO_MS })
    const info: unknown = JSON.parse(body)
    if (isObject(info) && info.LiveRestoreEnabled === true) return
    throw new Error('the dockerd that runs does not have live-restore on, though its file says so')
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
  }
}

function decided({ changes }: Plan): { readonly name: string; readonly before: string } {
  const [change] = changes
  if (change === undefined) throw new Error('the plan names no unit')
  return { name: change.what.slice(0, change.what.indexOf(':')), before: change.before }
}
