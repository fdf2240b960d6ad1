/**
 * A node whose host has a small disk that a test can fill: a fault of one node alone, though the hosts of all are this
 * machine. The disk is seen by the node's agent only and goes with it.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { SOURCE } from '../../bench/program.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { LocalProcess, type OwnedProcess } from '../../cli/local/processes.ts'

/** Where the disk is mounted, as its host says. */
export const SMALL_DISK = '/small'
const DISK_BYTES = 1024 * 1024

/** Arguments: the root of the host, and the agent's command. The mount table is what tells which disks there are. */
const ON_ITS_HOST = `
mkdir -p "$1/proc/1" "$1${SMALL_DISK}"
mount -t tmpfs -o size=${DISK_BYTES} tmpfs "$1${SMALL_DISK}"
printf '/dev/small ${SMALL_DISK} ext4 rw 0 0\\n' > "$1/proc/1/mounts"
export STARLING_HOST_ROOT="$1"
shift
exec "$@"`

export class SickHost {
  readonly #usual: OwnedProcess
  readonly #agent: LocalProcess
  readonly #filler: string

  private constructor(usual: OwnedProcess, agent: LocalProcess, root: string) {
    this.#usual = usual
    this.#agent = agent
    this.#filler = join(root, SMALL_DISK, 'filler')
  }

  /** Takes the place of the node's usual agent, which starts again when it is told to `stop`. */
  static async on({ mesh, network }: ControlPlaneStage, node: string): Promise<SickHost> {
    const dir = join(network.dir, node)
    const root = join(dir, 'host')
    const within = [...network.on(node), 'unshare', '--mount', 'sh', '-euc', ON_ITS_HOST, 'sh', root]
    const agent = new LocalProcess(
      `${node} agent`,
      ['agent', '--config', join(dir, 'config.yaml')],
      join(dir, 'agent.log'),
      { program: SOURCE, within, nodeFlags: AGENT_NODE_FLAGS },
    )
    const usual = mesh.processes(node).agent
    await usual.stop()
    agent.start()
    return new SickHost(usual, agent, root)
  }

  fill(): void {
    writeFileSync(this.#inside(), Buffer.alloc(DISK_BYTES * 0.95))
  }

  empty(): void {
    rmSync(this.#inside(), { force: true })
  }

  async stop(): Promise<void> {
    await this.#agent.stop()
    this.#usual.start()
  }

  /** The filler's path, through the agent's own mounts. */
  #inside(): string {
    return join('/proc', String(this.#agent.pid), 'root', this.#filler)
  }
}
