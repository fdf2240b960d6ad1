/** What a fixer reads from /etc/starling/fixer.yaml, and from nowhere else: what it may do is root's to say, not the agent's. */
import { z } from 'zod'
import { logPart } from '../common/config-parts.ts'
import { pluginsPart } from '../plugins/place.ts'

export const FIXER_CONFIG_FILE = '/etc/starling/fixer.yaml'

export const FIXER_SOCKET = '/run/starling/fixer.sock'

const path = z.string().startsWith('/', 'must be an absolute path')

export const fixerConfig = z.strictObject({
  /** Name of the mesh whose aggregators permit. */
  mesh: z.string().min(1).max(63),
  /** `auto`: as the agent's certificate says. */
  node: z.string().min(1).max(253).default('auto'),
  /** Names of the remediators that it carries out. None by default: then it refuses every plan. */
  remediators: z.array(z.string().min(1).max(63)).max(64).default([]),
  /**
   * Whether what stops and restarts nothing may be done without a permit, as a node that is cut off from the leader does. It
   * is then for the agent to say that it is cut off.
   */
  withoutPermit: z.boolean().default(false),
  socket: z
    .strictObject({
      path: path.default(FIXER_SOCKET),
      /** User id of the only user beside root who may connect. `auto`: whoever owns the agent's key. */
      owner: z.union([z.literal('auto'), z.int().min(0).max(4_294_967_294)]).default('auto'),
    })
    .prefault({}),
  /** The agent's state folder: its certificate, and the signed roster. Both are checked against the CA. */
  agentStateDir: path.default('/var/lib/starling'),
  /** The public key of the mesh's CA. The agent must not be able to write it. */
  ca: path.default('/etc/starling/ca.pem'),
  /** Where the root of the host is mounted: `/` on the host itself. */
  root: path.default('/'),
  /** Where remediators come from that do not ship with Starling. */
  plugins: pluginsPart.prefault({}),
  /** What it has done, and how that is undone. The agent must not be able to write it. */
  stateDir: path.default('/var/lib/starling-fixer'),
  log: logPart.prefault({}),
})

export type FixerConfig = z.infer<typeof fixerConfig>
