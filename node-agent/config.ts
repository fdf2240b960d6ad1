/** What an agent reads from /etc/starling/agent.yaml: who it is and where things are. Policy comes with the signed settings. */
import { z } from 'zod'
import { endpoint, logPart, meshPart, port, trustPart } from '../common/config-parts.ts'
import { pluginsPart } from '../plugins/place.ts'
import { outboxPart } from './outbox/config.ts'

export const AGENT_CONFIG_FILE = '/etc/starling/agent.yaml'

const nodePart = z.strictObject({
  /** `auto`: the name of the host. */
  name: z.string().min(1).max(253).default('auto'),
  zone: z.string().min(1).max(63).default('auto'),
  /** `auto`: as the enrolment certificate says. */
  roles: z.union([z.literal('auto'), z.array(z.string().min(1)).max(16)]).default('auto'),
  /** Where the kubelet, or what stands in for it, answers: the second channel to this host. */
  kubelet: endpoint.exactOptional(),
})

const metricsPart = z.strictObject({
  /** Loopback, since metrics and health are for the host itself. */
  host: z.string().min(1).default('127.0.0.1'),
  port: port.default(7791),
})

const hostPart = z.strictObject({
  /** Where the root of the host is mounted: `/` on the host itself, `/host` in a pod. */
  root: z.string().min(1).default('/'),
})

export const agentConfig = z.strictObject({
  mesh: meshPart,
  node: nodePart.prefault({}),
  trust: trustPart.prefault({}),
  log: logPart.prefault({}),
  metrics: metricsPart.prefault({}),
  host: hostPart.prefault({}),
  plugins: pluginsPart.prefault({}),
  outbox: outboxPart.prefault({}),
  /**
   * Whether this node answers an aggregator's question for what a detector reads here. Refused by default, since redaction
   * knows secrets by their form only, and here so that whoever holds the aggregator's token cannot change it.
   */
  recordings: z.enum(['refuse', 'allow']).default('refuse'),
  /**
   * Who changes this host: nobody, this process itself, or the fixer that listens at a path. Off by default: who observes
   * needs no rights.
   */
  fixer: z
    .union([z.enum(['off', 'here']), z.string().startsWith('/')], { error: 'must be off, here, or an absolute path' })
    .default('off'),
  /** Keys, certificate, roster and settings; readable by the agent alone. */
  stateDir: z.string().min(1).default('/var/lib/starling'),
})

export type AgentConfig = z.infer<typeof agentConfig>
