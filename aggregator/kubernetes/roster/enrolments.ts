/**
 * The certificates of enrolled agents, from a folder beside the aggregator's state: whoever enrols an agent puts its
 * certificate there (`enrolled/NAME.cert`). Of one name the latest serial counts.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../../common/errors.ts'
import type { Log } from '../../../common/log.ts'
import { type Enrolment, readCertificate } from '../../../mesh/identity/enrolment.ts'

/** Looking is cheap: a file is read again only when it has changed. */
const LOOK_EVERY_MS = 1_000

const SUFFIX = '.cert'
const CERTIFICATE_BYTES_MAX = 4_096

export interface EnrolmentsInit {
  readonly folder: string
  /** The mesh CA's public key. */
  readonly caKey: Uint8Array
  readonly mesh: string
  readonly log: Log
}

interface Seen {
  readonly stamp: string
  readonly enrolment: Enrolment | undefined
}

export class Enrolments {
  readonly #init: EnrolmentsInit
  #seen = new Map<string, Seen>()
  #timer: NodeJS.Timeout | undefined

  constructor(init: EnrolmentsInit) {
    this.#init = init
    this.#look()
  }

  /** Valid now, the latest of each name. */
  current(wallMs: number): ReadonlyMap<string, Enrolment> {
    const latest = new Map<string, Enrolment>()
    for (const { enrolment } of this.#seen.values()) {
      if (enrolment === undefined || enrolment.notAfterMs < wallMs) continue
      if (enrolment.serial > (latest.get(enrolment.node)?.serial ?? 0)) latest.set(enrolment.node, enrolment)
    }
    return latest
  }

  /** Calls back when a file came, went or changed. */
  start(onChange: () => void): void {
    this.#timer = setInterval(() => {
      if (this.#look()) onChange()
    }, LOOK_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): boolean {
    const before = this.#seen
    this.#seen = new Map(filesIn(this.#init.folder).map((file) => [file, this.#read(file, before.get(file))]))
    const isSame = this.#seen.size === before.size && [...this.#seen].every(([file, seen]) => before.get(file) === seen)
    return !isSame
  }

  #read(file: string, known: Seen | undefined): Seen {
    const { folder, caKey, mesh, log } = this.#init
    let stamp = 'gone'
    try {
      const { mtimeMs, size } = statSync(join(folder, file))
      stamp = `${mtimeMs} ${size}`
      if (known?.stamp === stamp) return known
      if (size > CERTIFICATE_BYTES_MAX) throw new Error('it is too large')
      const bytes = new Uint8Array(readFileSync(join(folder, file)))
      return { stamp, enrolment: readCertificate(bytes, caKey, mesh, Date.now()) }
    } catch (error) {
      if (known?.stamp === stamp) return known
      // It may be half written: it is read again when it changes.
      log.warn({ file, err: messageOf(error) }, 'enrolment not taken')
      return { stamp, enrolment: undefined }
    }
  }
}

/** None where there is no such folder: then nobody has enrolled. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith(SUFFIX))
  } catch {
    return []
  }
}
