/** The parts of a configuration file that agents and aggregators have in common. */
import { z } from 'zod'

/** `HOST:PORT`; the host is an address, in brackets if it is IPv6. Names are not allowed: they are never resolved. */
export const endpoint = z
  .string()
  .regex(/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'must be ADDRESS:PORT, as in 10.0.0.7:7790')

export const port = z.int().min(1).max(65_535)

export const meshPart = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 lower-case letters, digits and dashes'),
  /** `tcp/PORT` on all addresses of the host, `tcp/ADDRESS/PORT` on one. */
  listen: z
    .array(z.string().regex(/^tcp\/(?:[0-9a-fA-F.:]+\/)?\d{1,5}$/, 'must be tcp/PORT or tcp/ADDRESS/PORT'))
    .min(1)
    .max(16)
    .default(['tcp/7790']),
  /** The address others dial; `auto` takes the host's own. */
  advertise: z.string().min(1).default('auto'),
  /** Members to try when none is known from before. */
  bootstrap: z.array(endpoint).max(64).default([]),
})

export const trustPart = z.strictObject({
  /** File with the certificate of the mesh's certificate authority. */
  ca: z.string().min(1).default('/etc/starling/ca.pem'),
  enrol: z.enum(['kubernetes', 'token']).default('kubernetes'),
})

export const logPart = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  format: z.enum(['json', 'pretty']).default('json'),
})

export type LogConfig = z.infer<typeof logPart>
