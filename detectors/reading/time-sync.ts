/** What keeps this host's clock right says of it: chronyd, ntpd, or else the kernel's own flag. */
import { counted } from '../../common/counted.ts'
import type { Command, Host } from '../contract.ts'
import { NotApplicable } from '../contract.ts'

/** Programs that are asked, where the distributions put them; each is one request over a local socket. */
export const TIME_COMMANDS = [
  '/usr/bin/chronyc',
  '/usr/bin/ntpq',
  '/usr/sbin/ntpq',
  '/usr/sbin/adjtimex',
  '/usr/bin/timedatectl',
]

export interface TimeSync {
  /** Who says so: `chronyd`, `ntpd`, `the kernel`. */
  readonly by: string
  readonly isSynchronised: boolean
  /** Why it is not; empty when it is. */
  readonly why: string
  /** The reference's clock minus ours, ms, and the most that this can be wrong. Only of one that is synchronised. */
  readonly offset?: { readonly ms: number; readonly errorMs: number; readonly reference: string }
}

/** Of adjtimex(2), linux/timex.h: nobody has told the kernel for a while that its clock is right. */
const STA_UNSYNC = 0x40

/** Undefined when nobody on this host can say. Throws an Error for an answer that cannot be read. */
export async function timeSync(host: Host, signal: AbortSignal): Promise<TimeSync | undefined> {
  return (
    (await fromChrony(host, signal)) ??
    (await fromNtpd(host, signal)) ??
    (await fromAdjtimex(host, signal)) ??
    (await fromTimedate(host, signal))
  )
}

/** Of chronyd alone; undefined when it does not answer, or is not here. */
export async function fromChrony(host: Host, signal: AbortSignal): Promise<TimeSync | undefined> {
  const ask = (what: string) => answerOf(host, ['/usr/bin/chronyc', '-n', '-c', what], signal, 'Cannot talk to daemon')
  const tracking = await ask('tracking')
  if (tracking === undefined) return undefined
  const fields = tracking.trim().split(',')
  const [, address = '', , , behind, , , , , , delay, dispersion, , leap = ''] = fields
  const [behindS, delayS, dispersionS] = [behind, delay, dispersion].map(figure)
  if (fields.length !== 14 || behindS === undefined || delayS === undefined || dispersionS === undefined) {
    throw new Error(`chronyc tracking answered ${quote(tracking)}`)
  }
  const by = 'chronyd'
  if (leap === 'Not synchronised') return { by, isSynchronised: false, why: 'it has not chosen a source' }
  // It goes on by its own estimate when all of them have fallen silent, and still calls that Normal.
  const sources = (await ask('sources'))?.trim().split('\n').filter(Boolean) ?? []
  const reached = sources.filter((line) => Number.parseInt(line.split(',')[5] ?? '', 8) > 0)
  if (sources.length > 0 && reached.length === 0) {
    return { by, isSynchronised: false, why: `it has ${counted(sources.length, 'source')}, and none answers` }
  }
  // The bound that chronyc(1) gives for an error at the root: dispersion and half of the delay.
  const offset = { ms: behindS * 1_000, errorMs: (dispersionS + Math.abs(delayS) / 2) * 1_000, reference: address }
  return { by, isSynchronised: true, why: '', offset }
}

async function fromNtpd(host: Host, signal: AbortSignal): Promise<TimeSync | undefined> {
  const words = ['-c', 'rv 0 leap,refid,rootdelay,rootdisp,offset'] as const
  const silent = 'Connection refused'
  const said =
    (await answerOf(host, ['/usr/bin/ntpq', ...words], signal, silent)) ??
    (await answerOf(host, ['/usr/sbin/ntpq', ...words], signal, silent))
  if (said === undefined) return undefined
  const value = (name: string) => new RegExp(`\\b${name}=([^,\\s]+)`).exec(said)?.[1]
  const [delayMs, dispersionMs, offsetMs] = ['rootdelay', 'rootdisp', 'offset'].map((name) => figure(value(name)))
  const leap = value('leap')
  if (leap === undefined || delayMs === undefined || dispersionMs === undefined || offsetMs === undefined) {
    throw new Error(`ntpq answered ${quote(said)}`)
  }
  // RFC 5905, section 7.3: both bits of the leap indicator say that the clock is not synchronised.
  if (leap === '11' || leap === '3') return { by: 'ntpd', isSynchronised: false, why: 'it has not chosen a source' }
  const errorMs = dispersionMs + Math.abs(delayMs) / 2
  return {
    by: 'ntpd',
    isSynchronised: true,
    why: '',
    offset: { ms: offsetMs, errorMs, reference: value('refid') ?? '' },
  }
}

async function fromAdjtimex(host: Host, signal: AbortSignal): Promise<TimeSync | undefined> {
  const said = await answerOf(host, ['/usr/sbin/adjtimex', '--print'], signal)
  if (said === undefined) return undefined
  const status = /^\s*status:\s*(\d+)/m.exec(said)?.[1]
  if (status === undefined) throw new Error(`adjtimex answered ${quote(said)}`)
  return ofKernel((Number(status) & STA_UNSYNC) === 0)
}

/** It reads the same flag of the kernel, and every host with systemd has it. */
async function fromTimedate(host: Host, signal: AbortSignal): Promise<TimeSync | undefined> {
  const command = ['/usr/bin/timedatectl', 'show', '--property=NTPSynchronized', '--value'] as const
  const said = await answerOf(host, command, signal, 'Failed to connect', 'not been booted with systemd')
  if (said === undefined) return undefined
  const answer = said.trim()
  if (answer !== 'yes' && answer !== 'no') throw new Error(`timedatectl answered ${quote(said)}`)
  return ofKernel(answer === 'yes')
}

function ofKernel(isSynchronised: boolean): TimeSync {
  return { by: 'the kernel', isSynchronised, why: isSynchronised ? '' : 'nobody has set its clock right for a while' }
}

/** What it said; undefined when there is no such program, or it failed with one of `silent`: what it asks is not there. */
async function answerOf(
  host: Host,
  command: Command,
  signal: AbortSignal,
  ...silent: readonly string[]
): Promise<string | undefined> {
  signal.throwIfAborted()
  try {
    const { code, stdout, stderr } = await host.run(command, { signal })
    const isSilent = silent.some((words) => stdout.includes(words) || stderr.includes(words))
    if (isSilent) return undefined
    if (code !== 0) throw new Error(`${command[0]} failed (${code ?? 'killed'}): ${quote(stderr || stdout)}`)
    return stdout
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

function figure(text: string | undefined): number | undefined {
  const value = Number(text)
  return text === undefined || text === '' || !Number.isFinite(value) ? undefined : value
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
