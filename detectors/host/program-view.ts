/** What of the host a program is given to see, found anew for each run: files come and go, and links lead elsewhere. */
import { open, readdir, readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { globPattern } from './glob.ts'
import type { ProgramSight } from './port.ts'

/** Paths without links on the way, and each of them exists. */
export interface ProgramView {
  readonly shown: readonly string[]
  readonly writable: readonly string[]
  /** Links on the way to them, and where each points as it is written. */
  readonly links: ReadonlyMap<string, string>
  /** A /proc of the program's own processes, in place of the host's or of none. */
  readonly hasOwnProc: boolean
}

/** Without these no program that is linked, and no interpreter, comes to its first line. */
const LIBRARIES = ['/lib', '/lib32', '/lib64', '/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/share']
const LOCAL_LIBRARIES = ['/usr/local/lib', '/usr/local/lib64', '/usr/local/share']
/** Where libraries are, which of several is meant, who a number of a user is. */
const SYSTEM = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/nsswitch.conf', '/etc/passwd', '/etc/group', '/etc/perl']
/** By which names become addresses, and certificates are trusted. */
const NETWORK = [
  ...['/etc/hosts', '/etc/host.conf', '/etc/resolv.conf', '/etc/gai.conf', '/etc/services', '/etc/protocols'],
  ...['/etc/ssl/certs', '/etc/ca-certificates', '/etc/pki/tls/certs', '/etc/pki/ca-trust'],
]

/** Each takes a mount, which takes the time of those before it too. */
const MATCHES_MAX = 256
/** As path_resolution(7) has it, ELOOP. */
const LINKS_MAX = 40
/** What a kernel reads of a first line, and how often it takes a script for an interpreter: binfmt_script. */
const FIRST_LINE_BYTES = 256
const INTERPRETERS_MAX = 5
const SEARCHED = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** In /proc: by which process it is asked. */
const OF_ITSELF = /^\/proc\/(?:self|thread-self|net|mounts)(?:\/|$)/
/** In /proc: of any process of the host. Those come and go, so the glob cannot be held to those of now. */
const OF_PROCESSES = /^\/proc(?:$|\/(?:\d|[^/]*\*))/

/** Throws an Error when a glob has too many matches. What does not exist, or is not for the agent to see, is left out. */
export async function viewOf(program: string, sees: ProgramSight, hasNetwork: boolean): Promise<ProgramView> {
  const walk = new Walk()
  const seesProcesses = sees.paths.some((path) => OF_PROCESSES.test(path))
  const isItself = sees.paths.some((path) => OF_ITSELF.test(path))
  const hasOwnProc = isItself && !seesProcesses && !sees.paths.includes('/**')
  const named = sees.paths.filter((path) => !OF_PROCESSES.test(path) && !OF_ITSELF.test(path))
  const wanted = [
    ...[...LIBRARIES, ...LOCAL_LIBRARIES, ...SYSTEM, ...(hasNetwork ? NETWORK : [])],
    ...(seesProcesses ? ['/proc'] : []),
    ...(await matchesOf(named)).filter((path) => !hasOwnProc || !path.startsWith('/proc/')),
  ]
  const shown = await walk.all(wanted)
  for (const command of [program, ...(await matchesOf(sees.commands))]) shown.push(...(await executable(walk, command)))
  return { shown, writable: await walk.all(await matchesOf(sees.writes)), links: walk.links, hasOwnProc }
}

/** Where `path` of the host whose root is mounted at `root` is below that, without links; undefined when nothing is there. */
export async function realPathWithin(root: string, path: string): Promise<string | undefined> {
  const real = await new Walk(root).to(path)
  return real === undefined ? undefined : join(root, real)
}

/** Follows links, and keeps those that it came across. */
class Walk {
  readonly links = new Map<string, string>()
  readonly #root: string
  /** What is no link. */
  readonly #plain = new Set<string>()

  constructor(root = '/') {
    this.#root = root
  }

  async all(paths: readonly string[]): Promise<string[]> {
    const found: string[] = []
    for (const path of paths) {
      const real = await this.to(path)
      if (real !== undefined) found.push(real)
    }
    return found
  }

  /** Where `path` is without links; undefined when nothing is there, or for each process something else. */
  async to(path: string): Promise<string | undefined> {
    let real = '/'
    let followed = 0
    const names = namesOf(path)
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const at = name === '..' ? dirname(real) : join(real, name)
      if (OF_ITSELF.test(at)) return undefined
      const target = await this.#target(at)
      if (target === undefined) return undefined
      if (target === '') real = at
      else {
        followed += 1
        if (followed > LINKS_MAX) return undefined
        if (target.startsWith('/')) real = '/'
        names.unshift(...namesOf(target))
      }
    }
    return real
  }

  /** Empty for what is no link; undefined for what is not there. */
  async #target(path: string): Promise<string | undefined> {
    if (this.#plain.has(path)) return ''
    const known = this.links.get(path)
    if (known !== undefined) return known
    try {
      const target = await readlink(join(this.#root, path))
      this.links.set(path, target)
      return target
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') return undefined
      this.#plain.add(path)
      return ''
    }
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** A glob with `**` matches the folder that this stands in. */
async function matchesOf(globs: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const glob of globs) found.push(...(await matchesOfOne(glob)))
  return found
}

async function matchesOfOne(glob: string): Promise<readonly string[]> {
  let found: readonly string[] = ['/']
  for (const name of namesOf(glob)) {
    if (name.includes('**')) return found
    if (!name.includes('*')) found = found.map((folder) => join(folder, name))
    else {
      const pattern = globPattern(name)
      const below = await Promise.all(
        found.map(async (folder) => {
          const names = await readdir(folder).catch(() => [])
          return names.filter((one) => pattern.test(one)).map((one) => join(folder, one))
        }),
      )
      found = below.flat()
      if (found.length > MATCHES_MAX) {
        throw new Error(`touches: ${glob} matches over ${MATCHES_MAX} files; with ** in place of * it is their folder`)
      }
    }
  }
  return found
}

/** The program, and of a script what runs it. */
async function executable(walk: Walk, program: string): Promise<readonly string[]> {
  const found: string[] = []
  let next: readonly string[] = [program]
  for (let depth = 0; depth <= INTERPRETERS_MAX && next.length > 0; depth += 1) {
    const real = await walk.all(next)
    found.push(...real)
    next = (await Promise.all(real.map(interpretersOf))).flat()
  }
  return found
}

/** `/bin/sh`; of `env python3` both, the second wherever it may be. None of a binary. */
async function interpretersOf(file: string): Promise<readonly string[]> {
  const line = await firstLine(file).catch(() => '')
  const [, interpreter, rest = ''] = /^#![ \t]*(\S+)[ \t]*(.*)/.exec(line) ?? []
  if (interpreter === undefined) return []
  const name = /(?:^|\/)env$/.test(interpreter) ? rest.replace(/^-S[ \t]*/, '').split(/[ \t]/)[0] : undefined
  return [interpreter, ...(name ? SEARCHED.map((folder) => join(folder, name)) : [])]
}

async function firstLine(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(FIRST_LINE_BYTES), 0, FIRST_LINE_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead).split('\n')[0] ?? ''
  } finally {
    await file.close()
  }
}
