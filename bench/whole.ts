/** Waiting for a mesh: until something is so, and until it is whole and the machine has room for the next fault. */
import { cpus } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { MemberView, Snapshot } from '../aggregator/model.ts'
import type { ApiClient } from '../cli/client.ts'
import { messageOf, StarlingError } from '../common/errors.ts'

const LOOK_EVERY_MS = 200
/** Generous: two cores that others use as well start 32 agents and their stand-ins in two minutes. */
const WITHIN_MS = 300_000
const CALM_FOR_MS = 2_000
/** Of all processor time. */
const IDLE_SHARE_MIN = 0.25
/** Others may use the machine for longer than anybody wants to wait. */
const ROOM_WITHIN_MS = 20_000
const EVENTS_TOLD = 60

/** `lookUntil`, with how the mesh was by then. */
export function until<T>(client: ApiClient, what: string, look: () => T | Promise<T>): Promise<Given<T>> {
  return lookUntil(what, look, () => describeMesh(client))
}

export type Given<T> = Exclude<T, undefined | null | false>

/**
 * Looks until `look` gives something (not undefined, null or false) and returns it; what it throws is nothing yet. After
 * five minutes throws a StarlingError that says what was waited for, and how things were by then.
 */
export async function lookUntil<T>(
  what: string,
  look: () => T | Promise<T>,
  describe: () => string | Promise<string>,
): Promise<Given<T>> {
  const deadline = performance.now() + WITHIN_MS
  let last = ''
  for (;;) {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== null && seen !== false) return seen as Given<T>
    } catch (error) {
      last = messageOf(error)
    }
    if (performance.now() > deadline) throw new StarlingError(`waited for: ${what}; ${last}\n${await describe()}`)
    await wait(LOOK_EVERY_MS)
  }
}

/**
 * Every member is alive, no vote stands, and each observer could convict each of its subjects; but for the nodes of
 * `except`. For two seconds on end in which the machine has room, or else for 20 s: agents that wait for a processor
 * miss roll-calls, and the leader then rightly marks nobody. With `standbys` any of the aggregators may be the one to see it.
 */
export async function untilWhole(
  client: ApiClient,
  except: readonly string[] = [],
  standbys: readonly ApiClient[] = [],
): Promise<void> {
  let wholeSince: number | undefined
  let calmFrom = processorTimes()
  await until(client, `the mesh is whole${except.length === 0 ? '' : ` but for ${except.join(', ')}`}`, async () => {
    if (!(await isWholeTo([client, ...standbys], except))) {
      wholeSince = undefined
      return false
    }
    const now = processorTimes()
    if (wholeSince === undefined) {
      wholeSince = now.atMs
      calmFrom = now
    }
    if (now.atMs - calmFrom.atMs < CALM_FOR_MS) return false
    const idle = (now.idle - calmFrom.idle) / (now.all - calmFrom.all)
    calmFrom = now
    return idle >= IDLE_SHARE_MIN || now.atMs - wholeSince >= ROOM_WITHIN_MS
  })
}

function processorTimes(): { readonly atMs: number; readonly idle: number; readonly all: number } {
  const times = cpus().map((each) => each.times)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  return {
    atMs: performance.now(),
    idle: sum(times.map(({ idle }) => idle)),
    all: sum(times.flatMap((each) => Object.values(each))),
  }
}

/** No member but the excepted is anything but alive, and nobody holds anything against it. */
export function isHeard({ members }: Snapshot, except: readonly string[] = []): boolean {
  const others = members.filter(({ node }) => !except.includes(node))
  return others.length > 0 && others.every(({ state, votes }) => state === 'alive' && votes.length === 0)
}

async function isWholeTo(clients: readonly ApiClient[], except: readonly string[]): Promise<boolean> {
  const states = await Promise.allSettled(clients.map((client) => client.state()))
  return states.some((state) => state.status === 'fulfilled' && isWhole(state.value, except))
}

function isWhole(state: Snapshot, except: readonly string[]): boolean {
  return isHeard(state, except) && state.members.every((member) => isCovered(member, except))
}

function isCovered({ node, coveredBy, observers }: MemberView, except: readonly string[]): boolean {
  return except.includes(node) || observers.every((each) => coveredBy.includes(each) || except.includes(each))
}

/** What a person would look at when something went wrong. */
export async function describeMesh(client: ApiClient): Promise<string> {
  const members = await client.state().then(
    (state) =>
      state.members
        .filter((member) => member.state !== 'alive' || !isCovered(member, []))
        .map((member) => JSON.stringify(member)),
    (error: unknown) => [`no state: ${messageOf(error)}`],
  )
  const events = await client.events({ limit: EVENTS_TOLD }).catch(() => [])
  const told = events
    .filter(({ kind }) => kind !== 'finding')
    .map(({ at, node, kind, summary }) => `${at} ${node} ${kind}: ${summary}`)
  return [...members, ...told].join('\n')
}
