/** Where reports go: a mail server, a folder, a web address. One attempt each; whoever asks tries again. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '../../common/atomic-file.ts'
import { messageOf } from '../../common/errors.ts'
import { MailError, type Mailer } from '../sinks/mailer.ts'
import type { Composed, Source } from './composed.ts'
import type { Target } from './config.ts'

const WEBHOOK_WITHIN_MS = 30_000
/** Of a webhook's no that may be a yes later (RFC 9110, 6585). */
const LATER = [408, 425, 429]
/** Reports name hosts and faults: their owner and its group may read them. */
const FILE_MODE = 0o640

/** One report on its way to one place. */
export interface Delivery extends Composed {
  /** Unique, and the same when it is tried again. */
  readonly id: string
  readonly report: string
  readonly kind: string
  /** RFC 3339, UTC. */
  readonly due: string
  readonly to: Target
  /** For a webhook only. */
  readonly source?: Source
}

/** A place would not take it, and would not later. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** Resolves when it is there. Rejects with RefusedError when it is no use to try again. */
export async function deliver(delivery: Delivery, mailer: Mailer | undefined, stop: AbortSignal): Promise<void> {
  const { to, subject, text, html } = delivery
  if ('file' in to) {
    await writeTo(to.file, to.keep, delivery)
    return
  }
  if ('webhook' in to) {
    await post(to.webhook, delivery, stop)
    return
  }
  if (mailer === undefined) throw new RefusedError('there is no `mail` in the configuration: no server to send by')
  try {
    await mailer.send({ to: [to.mail], subject, text, html })
  } catch (error) {
    if (error instanceof MailError && error.isFinal) throw new RefusedError(error.message, { cause: error })
    throw error
  }
}

async function writeTo(folder: string, keep: number, { report, due, role, text, html }: Delivery): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o750 })
  const stamp = `${due.slice(0, 16).replaceAll(/[-:]/g, '')}Z`
  // A role is whatever settings say; a file's name is not.
  const name = [report, stamp, role.replaceAll(/[^\w-]/g, '_').slice(0, 63)].filter((part) => part !== '').join('-')
  await writeFileAtomically(join(folder, `${name}.html`), html, FILE_MODE)
  await writeFileAtomically(join(folder, `${name}.txt`), text, FILE_MODE)
  await letGo(folder, report, keep)
}

/** Of the runs of this report older ones than are kept; other files there are somebody else's. */
async function letGo(folder: string, report: string, keep: number): Promise<void> {
  const files = (await readdir(folder)).flatMap((file) => {
    const [, name, stamp = ''] = /^([a-z][a-z0-9-]*?)-(\d{8}T\d{4}Z)(?:-[\w-]+)?\.(?:html|txt)$/.exec(file) ?? []
    return name === report ? [{ file, stamp }] : []
  })
  const kept = [...new Set(files.map(({ stamp }) => stamp))].toSorted().slice(-keep)
  for (const { file, stamp } of files) if (!kept.includes(stamp)) await rm(join(folder, file), { force: true })
}

async function post(address: string, delivery: Delivery, stop: AbortSignal): Promise<void> {
  const { id, report, kind, due, role, subject, text, source } = delivery
  const signal = AbortSignal.any([stop, AbortSignal.timeout(WEBHOOK_WITHIN_MS)])
  const body = JSON.stringify({ version: '1', id, report, kind, due, role, subject, text, ...source })
  const headers = { 'content-type': 'application/json' }
  // Of the address only where it leads is told: the rest may be secret.
  const { origin } = new URL(address)
  const answer = await fetch(address, { method: 'POST', headers, body, redirect: 'error', signal }).catch(
    (error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw new Error(`${origin}: ${messageOf(cause)}`)
    },
  )
  await answer.body?.cancel()
  if (answer.ok) return
  const why = `${origin} answers ${answer.status}`
  throw answer.status < 500 && !LATER.includes(answer.status) ? new RefusedError(why) : new Error(why)
}
