/**
 * The process that changes a host, apart from the agent that observes it: small, off unless somebody starts it, and with a
 * list of its own of what it may do.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StarlingError, UsageError } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import { createHost } from '../detectors/host/host.ts'
import { PluginShelf } from '../plugins/shelf.ts'
import type { Remediator } from '../remediators/contract.ts'
import { ownHands } from '../remediators/hands.ts'
import type { FixerConfig } from './config.ts'
import { FixerDesk } from './desk.ts'
import { openRecords } from './records.ts'
import { listenOnSocket } from './socket.ts'
import { createTrust } from './trust.ts'

export interface RunningFixer {
  readonly node: string
  /** What is being changed is not waited for: it is on disk, and is put back when the agent asks. */
  stop(): Promise<void>
}

/**
 * Throws StarlingError (UsageError for what the person wrote) when something it needs is missing or taken. `logOf`: the log
 * for the node that it turns out to be.
 */
export async function startFixer(config: FixerConfig, logOf: (node: string) => Log): Promise<RunningFixer> {
  const { mesh, ca, agentStateDir, root } = config
  const trust = createTrust({ mesh, ca, agentStateDir })
  const [node, owner] = await Promise.all([
    config.node === 'auto' ? trust.nodeOfAgent() : config.node,
    config.socket.owner === 'auto' ? ownerOf(join(agentStateDir, 'identity.key')) : config.socket.owner,
  ]).catch((cause: unknown) => {
    throw new StarlingError(`whose fixer this is cannot be told: ${messageOf(cause)}`, {
      remedy: `enrol this node: ${agentStateDir} must hold the identity of its agent, and ${ca} the key of the CA`,
      cause,
    })
  })
  const log = logOf(node)
  const shelf = await PluginShelf.load(config.plugins, log)
  const remediators = config.remediators.map((name) => named(shelf.registries.remediators, name))
  const host = createHost({ node, root, peerOffsets: () => [] })
  const records = await openRecords(config.stateDir)
  const hands = ownHands({ host, root, remediators })
  const desk = new FixerDesk({ node, remediators, withoutPermit: config.withoutPermit, trust, records, hands, log })
  const { path } = config.socket
  const socket = await listenOnSocket({ path, owner, answer: (request) => desk.answer(request), log })
  log.info({ socket: path, owner, remediators: config.remediators }, 'fixer started')
  return {
    node,
    stop: async () => {
      await socket.stop()
      host.close()
    },
  }
}

function named(remediators: readonly Remediator[], name: string): Remediator {
  const found = remediators.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new UsageError(
    `there is no remediator ${name}`,
    `take it out of remediators, or choose of ${remediators.map((one) => one.name).join(', ')}`,
  )
}

async function ownerOf(file: string): Promise<number> {
  return (await stat(file)).uid
}
