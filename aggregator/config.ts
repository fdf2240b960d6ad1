/** What an aggregator reads from /etc/starling/aggregator.yaml. */
import { z } from 'zod'
import { logPart, meshPart, port, trustPart } from '../common/config-parts.ts'
import { pluginsPart } from '../plugins/place.ts'
import { storePart } from './history/config.ts'
import { PEOPLE_FILE } from './people.ts'
import { reportsPart } from './reports/config.ts'
import { mailPart, sinksPart } from './sinks/config.ts'

export const AGGREGATOR_CONFIG_FILE = '/etc/starling/aggregator.yaml'

const httpPart = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: port.default(7780),
})

export const aggregatorConfig = z.strictObject({
  mesh: meshPart,
  trust: trustPart.prefault({}),
  log: logPart.prefault({}),
  http: httpPart.prefault({}),
  store: storePart.prefault({}),
  /** The YAML file with the settings document that this aggregator signs and hands out. */
  settings: z.string().min(1).default('/etc/starling/settings.yaml'),
  /** The same plugins as the agents', for the names and options that settings may have; nothing of them runs here. */
  plugins: pluginsPart.prefault({}),
  /** Said on the page about this mesh in so many words; empty for none. */
  notice: z.string().max(500).default(''),
  /** File with the token of API and page; made, readable by its owner alone, when there is none. */
  tokenFile: z.string().min(1).default('/var/lib/starling/token'),
  /** Who may use API and page under a name of their own, as `starling people` writes it; without the file nobody. */
  people: z.string().min(1).default(PEOPLE_FILE),
  /** The cluster that is marked; without it there is none. An empty section means the one that this runs in. */
  kubernetes: z
    .strictObject({
      kubeconfig: z.string().min(1).optional(),
      context: z.string().min(1).optional(),
      /** Of the Lease by which the aggregators elect their leader, and of the record of the roster. */
      namespace: z.string().min(1).default('starling'),
      /** Where agents listen; a Node object does not say it. */
      agentPort: port.default(7790),
      /** Whose lock is respected: kured's own defaults. `off` where there is no kured, or nobody may read its DaemonSet. */
      kured: z
        .union([
          z.literal('off'),
          z.strictObject({
            namespace: z.string().min(1).default('kube-system'),
            daemonSet: z.string().min(1).default('kured'),
            lockAnnotation: z.string().min(1).default('weave.works/kured-node-lock'),
          }),
        ])
        .prefault({}),
    })
    .optional(),
  /** Asked for the alerts that settings name as blocking; without it a fix is refused while they name any. */
  alertmanager: z
    .strictObject({
      /** Where it answers, with the prefix of its routes if it has one, as `http://alertmanager.monitoring:9093`. */
      url: z.url({ protocol: /^https?$/ }),
    })
    .optional(),
  /** Where people are told of what is wrong, by name (docs/alerting.md); the settings say who is told of what. */
  sinks: sinksPart.prefault({}),
  /** The server that mails go to; without it none is sent. */
  mail: mailPart.optional(),
  /** Where people open the page, for links in what they are told; without it there are none. */
  page: z.url({ protocol: /^https?$/ }).optional(),
  /** What is sent when and to whom (docs/reports.md). */
  reports: reportsPart.prefault([]),
  stateDir: z.string().min(1).default('/var/lib/starling'),
})

export type AggregatorConfig = z.infer<typeof aggregatorConfig>
