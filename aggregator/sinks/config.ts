/**
 * Where alerts go, in the aggregator's own configuration: addresses and where their secrets are. A secret itself stands in
 * a file or in a variable of the environment, is read when it is needed, and is never logged.
 */
import { z } from 'zod'
import { port } from '../../common/config-parts.ts'

const file = z.string().min(1).max(4_096)
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable of the environment')
const url = z.url({ protocol: /^https?$/ })
const address = z
  .string()
  .min(3)
  .max(254)
  .regex(/^[^\s<>,;:"@]+@[^\s<>,;:"@]+$/, 'must be an address, as ops@example.org')

/** An address that is no secret, or one that is: in many of these services whoever has it may post. */
const addressed = {
  url: url.optional(),
  urlFile: file.optional(),
  urlEnv: variable.optional(),
}
const bearer = {
  /** Sent as `Authorization: Bearer`. */
  tokenFile: file.optional(),
  tokenEnv: variable.optional(),
}

const hasOneAddress = (given: {
  url?: string | undefined
  urlFile?: string | undefined
  urlEnv?: string | undefined
}) => [given.url, given.urlFile, given.urlEnv].filter((one) => one !== undefined).length === 1
const ONE_ADDRESS = 'give one of url, urlFile and urlEnv'

const sink = z.discriminatedUnion('kind', [
  /** With the prefix of its routes if it has one, as `http://alertmanager.monitoring:9093`. */
  z.strictObject({ kind: z.literal('alertmanager'), ...addressed, ...bearer }),
  z.strictObject({ kind: z.literal('webhook'), ...addressed, ...bearer }),
  z.strictObject({ kind: z.literal('cloudevents'), ...addressed, ...bearer }),
  z.strictObject({ kind: z.literal('slack'), ...addressed }),
  z.strictObject({ kind: z.literal('wecom'), ...addressed }),
  z.strictObject({
    kind: z.literal('pagerduty'),
    url: url.default('https://events.pagerduty.com/v2/enqueue'),
    /** The integration's routing key. */
    keyFile: file.optional(),
    keyEnv: variable.optional(),
  }),
  z.strictObject({ kind: z.literal('mail'), to: z.array(address).min(1).max(100) }),
])

export type SinkConfig = z.infer<typeof sink>

export const sinksPart = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names are lower-case letters, digits and dashes'), sink)
  .superRefine((sinks, { addIssue }) => {
    for (const [name, one] of Object.entries(sinks)) {
      if (one.kind === 'mail') continue
      if (one.kind === 'pagerduty') {
        if ((one.keyFile === undefined) === (one.keyEnv === undefined))
          addIssue({ code: 'custom', path: [name], message: 'give one of keyFile and keyEnv' })
      } else if (!hasOneAddress(one)) addIssue({ code: 'custom', path: [name], message: ONE_ADDRESS })
    }
  })

/** The server that mails go to. */
export const mailPart = z.strictObject({
  host: z.string().min(1).max(253),
  port: port.default(587),
  /** `starttls`: it must offer it, or nothing is sent. `tls`: from the first byte. `none`: in the clear. */
  tls: z.enum(['starttls', 'tls', 'none']).default('starttls'),
  /** File with the certificates of the authorities that its own is checked by; those of the system when not given. */
  ca: file.optional(),
  user: z.string().min(1).max(254).optional(),
  passwordFile: file.optional(),
  passwordEnv: variable.optional(),
  from: address,
})

export type MailConfig = z.infer<typeof mailPart>
