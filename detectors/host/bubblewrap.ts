/** Gives a program a view of the host of its own, by bubblewrap: a mount and a process namespace that end with it. */
import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { promisify } from 'node:util'
import { messageOf } from '../../common/errors.ts'
import type { Touches } from '../contract.ts'
import type { ProgramSight } from './port.ts'
import type { ProgramView } from './program-view.ts'

export const BWRAP = '/usr/bin/bwrap'
/** Of all that is in the program's own /tmp, which is memory; larger where one file may be. */
const TMP_BYTES = 16 * 1024 * 1024
/** It takes milliseconds. */
const TRIAL_MS = 10_000

/** May change whatever its user may: there is nothing to keep from it. */
export function seesAll({ writes }: Pick<ProgramSight, 'writes'>): boolean {
  return writes.includes('/**')
}

/** What is to be said beside `touches` on this host; undefined where they hold, and of what is no program of a manifest. */
export async function unenforced({ writes }: Touches): Promise<string | undefined> {
  if (writes === undefined || seesAll({ writes })) return undefined
  const why = await whyNotHeld()
  return why === undefined ? undefined : `paths and commands are not enforced: ${why}`
}

let hasWorked = false

/**
 * Why no program is held to what it says that it touches, as a phrase; undefined when each is. Tried out until it has worked once:
 * from then on a program that cannot be held to it is not run.
 */
export async function whyNotHeld(): Promise<string | undefined> {
  if (hasWorked) return undefined
  try {
    await access(BWRAP)
  } catch {
    return 'bwrap is not installed'
  }
  const everything: ProgramView = { shown: ['/'], writable: [], links: new Map(), hasOwnProc: false }
  try {
    await promisify(execFile)(BWRAP, [...viewArguments(everything, 0), '/usr/bin/true'], { timeout: TRIAL_MS })
    hasWorked = true
    return undefined
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    return `bwrap cannot be used here: ${(stderr || messageOf(error)).split('\n')[0]}`
  }
}

/**
 * What goes before the program. `fileBytes`: to which size it may write a file. Beside what `view` says there are a /dev with
 * null, zero and the like and an empty /tmp; nothing else can be written.
 */
export function viewArguments({ shown, writable, links, hasOwnProc }: ProgramView, fileBytes: number): string[] {
  const own = ['/dev', '/tmp', ...(hasOwnProc ? ['/proc'] : [])]
  const isSeen = (path: string, by: string) =>
    // What is mounted over a folder hides what that folder has there.
    isBelow(path, by) && own.every((folder) => !isBelow(path, folder) || isBelow(by, folder))
  const folders = [...new Set(shown)].filter((path) => !shown.some((other) => other !== path && isSeen(path, other)))
  const isMissing = (path: string) => !folders.some((folder) => isSeen(path, folder))
  const missing = [...links].filter(([link]) => isMissing(link))
  const places = [...folders, ...writable, ...missing.map(([link]) => link)]
  const above = [...new Set(places.flatMap(foldersAbove))].filter((path) => isMissing(path) && !own.includes(path))
  return [
    ...['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--chdir', '/'],
    ...(folders.includes('/') ? ['--ro-bind', '/', '/'] : []),
    ...['--dev', '/dev'],
    ...(hasOwnProc ? ['--proc', '/proc'] : []),
    ...['--perms', '1777', '--size', `${Math.max(TMP_BYTES, fileBytes)}`, '--tmpfs', '/tmp'],
    // Those that bwrap makes by itself are for its own user only.
    ...above.toSorted().flatMap((path) => ['--perms', '0755', '--dir', path]),
    // Any may go while it is mounted.
    ...folders.filter((path) => path !== '/').flatMap((path) => [bindOf(path, '--ro-bind-try'), path, path]),
    ...missing.flatMap(([link, target]) => ['--symlink', target, link]),
    ...[...new Set(writable)].flatMap((path) => [bindOf(path, '--bind-try'), path, path]),
    ...['--remount-ro', '/', '--remount-ro', '/dev', '--'],
  ]
}

/** A device cannot be opened through a mount that is not for devices; its own permissions say who may write to it. */
function bindOf(path: string, otherwise: string): string {
  return isBelow(path, '/dev') ? '--dev-bind-try' : otherwise
}

/** `/usr` and `/usr/bin` of `/usr/bin/env`. */
function foldersAbove(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
