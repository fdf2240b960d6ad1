/** The file in which kernel parameters that Starling set are kept over a boot; systemd-sysctl reads it (sysctl.d(5)). */
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import type { Change } from '../contract.ts'
import { shellWord } from '../shell.ts'

export const BOOT_FOLDER = '/etc/sysctl.d'
export const BOOT_FILE = `${BOOT_FOLDER}/90-starling.conf`
/** Stands in a plan for the text of a file that is not there. No line of sysctl.d(5) looks like it. */
export const NO_FILE = '(no such file)'

const HEADER = '# Written by Starling: kernel parameters that it set and that are to stay set.\n'
/** Of each text in a plan (schema.ts). */
const TEXT_LENGTH_MAX = 1_000

/** Its text, NO_FILE where there is none. Throws an Error when it cannot be read. */
export async function readBootFile(host: Host): Promise<string> {
  try {
    return await host.readText(BOOT_FILE)
  } catch (error) {
    if (error instanceof NotApplicable) return NO_FILE
    throw error
  }
}

/**
 * Throws an Error that names the file when one of `keys` is set by one that is read after ours: what we wrote would not count
 * after the next boot.
 */
export async function refuseOverruled(host: Host, keys: readonly string[]): Promise<void> {
  for (const name of await namesIn(host, BOOT_FOLDER)) {
    const path = `${BOOT_FOLDER}/${name}`
    if (!name.endsWith('.conf') || path <= BOOT_FILE) continue
    const text = await host.readText(path)
    const overruled = keys.find((key) => text.split('\n').some((line) => keyOf(line) === key))
    if (overruled !== undefined) throw new Error(`${overruled} is set in ${path}, which is read last: change it there`)
  }
}

async function namesIn(host: Host, folder: string): Promise<readonly string[]> {
  try {
    return (await host.list(folder)).toSorted()
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}

/** The line of a plan that keeps `changes` over a boot. Throws an Error when the file is too long to stand in a plan. */
export function bootFileChange(before: string, changes: readonly Change[]): Change {
  const after = merged(before, changes)
  const undo = before === NO_FILE ? `rm ${BOOT_FILE}` : `printf %s ${shellWord(before)} > ${BOOT_FILE}`
  if ([before, after, undo].some(({ length }) => length > TEXT_LENGTH_MAX)) {
    throw new Error(`${BOOT_FILE} is too long for a plan, of ${TEXT_LENGTH_MAX} characters: change it by hand`)
  }
  return { what: BOOT_FILE, before, after, undo }
}

/** All other lines stay as they are. */
function merged(text: string, changes: readonly Change[]): string {
  const lines = text === NO_FILE ? [] : text.split('\n').filter((line) => line !== '')
  const others = lines.filter((line) => !changes.some(({ what }) => keyOf(line) === what))
  const own = changes.map(({ what, after }) => `${what} = ${after}`)
  return `${text === NO_FILE ? HEADER : ''}${[...others, ...own].join('\n')}\n`
}

/** Of `key = value`, where a dash before it says that a failure does not matter, and slashes may stand for the dots. */
function keyOf(line: string): string | undefined {
  return /^\s*-?\s*([^#;=\s][^=\s]*)\s*=/.exec(line)?.[1]?.replaceAll('/', '.')
}
