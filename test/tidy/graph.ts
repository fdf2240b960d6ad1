/** Who imports whom: cycles, and files that nothing leads to. */
import { posix } from 'node:path'
import type { Source } from './source.ts'

/** The file of this repository that `specifier` in `from` stands for; null for a package and for a built-in module. */
export function resolveOwn(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), specifier)) : null
}

/** The package that `specifier` belongs to, such as `@libp2p/tcp`; null for our own files and Node's modules. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Each cycle of imports once, as `a.ts -> b.ts -> a.ts`. Types count too: a cycle of words is still a tangle. */
export function findCycles(sources: readonly Source[]): string[] {
  const edges = new Map(sources.map((source) => [source.file, importedFiles(source)]))
  const state = new Map<string, 'open' | 'done'>()
  const path: string[] = []
  const cycles: string[] = []
  const visit = (file: string): void => {
    if (state.get(file) === 'done' || !edges.has(file)) return
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    state.set(file, 'open')
    path.push(file)
    for (const next of edges.get(file) ?? []) visit(next)
    path.pop()
    state.set(file, 'done')
  }
  for (const source of sources) visit(source.file)
  return cycles
}

/**
 * Which modules, ours and others, a process has loaded by the time that all of `roots` have run and all that they load later:
 * by each, the way to it. What only types need is not loaded.
 */
export function loadedBy(sources: readonly Source[], roots: readonly string[]): ReadonlyMap<string, string> {
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const ways = new Map(roots.map((file) => [file, file]))
  // A Map goes on with what is added to it meanwhile.
  for (const [file, way] of ways) {
    for (const { specifier, typeOnly } of byFile.get(file)?.imports ?? []) {
      const loaded = resolveOwn(file, specifier) ?? specifier
      if (!typeOnly && !ways.has(loaded)) ways.set(loaded, `${way} -> ${loaded}`)
    }
  }
  return ways
}

/** Files that no root leads to, over imports and started programs. */
export function findOrphans(sources: readonly Source[], isRoot: (file: string) => boolean): string[] {
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const reached = new Set<string>()
  const waiting = sources.map((source) => source.file).filter(isRoot)
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const source = byFile.get(file)
    if (source === undefined || reached.has(file)) continue
    reached.add(file)
    waiting.push(...importedFiles(source), ...startedFiles(source))
  }
  return sources.map((source) => source.file).filter((file) => !reached.has(file))
}

function importedFiles(source: Source): string[] {
  return source.imports.flatMap((entry) => resolveOwn(source.file, entry.specifier) ?? [])
}

function startedFiles(source: Source): string[] {
  return source.started.map((path) => posix.normalize(posix.join(posix.dirname(source.file), path)))
}
