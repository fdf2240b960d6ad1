/** Pressure stall information, the kernel's Documentation/accounting/psi.rst: the share of time in which tasks stood still. */
import { type Host, NotApplicable } from '../contract.ts'
import { failureCode } from './failure.ts'

export const PRESSURE = '/proc/pressure'

export type PressedResource = 'cpu' | 'memory' | 'io'

/** Percent of the time. Throws NotApplicable where the kernel does not measure it, an Error when it cannot be read. */
export async function readPressure(
  host: Host,
  resource: PressedResource,
  share: 'some' | 'full',
  average: 'avg10' | 'avg60' | 'avg300',
): Promise<number> {
  const path = `${PRESSURE}/${resource}`
  const text = await pressureText(host, path)
  const figure = new RegExp(`^${share} .*\\b${average}=(\\d{1,3}\\.\\d\\d)\\b`, 'm').exec(text)?.[1]
  if (figure === undefined) throw new Error(`${path} does not say ${average} of ${share}`)
  return Number(figure)
}

async function pressureText(host: Host, path: string): Promise<string> {
  try {
    return await host.readText(path)
  } catch (error) {
    // Built into the kernel and switched off at boot (psi=0): the files are there and cannot be opened.
    const code = failureCode(error)
    if (code === 'EOPNOTSUPP' || code === 'ENOTSUP') throw new NotApplicable('pressure is not measured by this kernel')
    throw error
  }
}
