/** Journals of systemd that are no longer written to, beyond what is to be kept of them. */
import { type Host, JOURNALCTL } from '../../detectors/contract.ts'
import type { Cleaner, FullDisk } from './cleaner.ts'
import { filesBelow, powerOfMebibytes } from './files.ts'

/** journald keeps them there when it keeps them at all (Storage= of journald.conf(5)). */
const JOURNAL_FOLDER = '/var/log/journal'
/** An archived one has an id and two numbers in its name, journald's own writes go to those without. */
const ARCHIVED = /@[^/]*\.journal$/

export const journal: Cleaner = {
  verb: 'shrink the journal ',

  async find(host, disk, { journalMiB }, signal) {
    const power = powerOfMebibytes(await bytesBeyond(host, disk, journalMiB, signal))
    if (power === 0) return []
    return [
      {
        what: `${this.verb}${JOURNAL_FOLDER}`,
        before: `${power} MiB or more beyond ${journalMiB} MiB`,
        after: `at most ${journalMiB} MiB of archived files, frees ${power} MiB or more`,
      },
    ]
  },

  async isPending(host, disk, { after }, signal) {
    return powerOfMebibytes(await bytesBeyond(host, disk, keptOf(after), signal)) > 0
  },

  async free({ host }, { after }, signal) {
    const words = [`--directory=${JOURNAL_FOLDER}`, `--vacuum-size=${keptOf(after)}M`]
    const { code, stderr } = await host.run([JOURNALCTL, ...words], { signal })
    if (code !== 0) throw new Error(`journalctl failed (${code ?? 'killed'}): ${stderr.trim().slice(0, 200)}`)
  },
}

/** What archived ones have beyond `keptMiB`: journalctl counts no others either. */
async function bytesBeyond(host: Host, { device }: FullDisk, keptMiB: number, signal: AbortSignal): Promise<number> {
  const files = await filesBelow(host, [JOURNAL_FOLDER], 0, signal)
  const archived = files.filter((file) => file.device === device && ARCHIVED.test(file.path))
  return archived.reduce((total, { bytes }) => total + bytes, 0) - keptMiB * 1024 * 1024
}

function keptOf(after: string): number {
  const kept = /^at most (\d+) MiB/.exec(after)?.[1]
  if (kept === undefined) throw new Error('the plan does not say how much of the journal is kept')
  return Number(kept)
}
