/** Packages: pinned, explained, declared, and installable on any machine from the lock file. */
import { roomOf } from './directions.ts'
import { packageOf } from './graph.ts'
import type { Source } from './source.ts'

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >
}

/** Rooms whose packages are bundled or used only in development, so that devDependencies do. */
const DEVELOPMENT = ['', 'test', 'scripts', 'aggregator/web']

/** A range would let two installs of the same commit differ. */
export function unpinned(manifest: Manifest): string[] {
  return Object.entries(allOf(manifest))
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} is "${version}", not one exact version`)
}

/** Differences between the packages of the manifest and the rows of the table in docs/dependencies.md. */
export function undocumented(manifest: Manifest, document: string): string[] {
  const declared = Object.keys(allOf(manifest))
  const rows = [...document.matchAll(/^\| `([^`]+)` +\|(.*)$/gm)]
  const documented = rows.map((row) => row[1] ?? '')
  return [
    ...declared.filter((name) => !documented.includes(name)).map((name) => `${name} has no row`),
    ...documented.filter((name) => !declared.includes(name)).map((name) => `${name} has a row but is not used`),
    ...rows.filter((row) => row[2]?.split('|').slice(0, 2).some(isBlank)).map((row) => `${row[1]} has an empty cell`),
  ]
}

/** Imports of packages that are only there because another package brought them, or that are not there at run time. */
export function undeclared(source: Source, manifest: Manifest): string[] {
  const usable = DEVELOPMENT.includes(roomOf(source.file)) ? allOf(manifest) : (manifest.dependencies ?? {})
  return source.imports.flatMap((entry) => {
    const name = packageOf(entry.specifier)
    return name === null || name in usable ? [] : [`${source.file} imports ${name}, which is not a dependency`]
  })
}

/**
 * What keeps `npm ci` from working elsewhere: the address of one registry, and optional packages (the binaries for other
 * processors and systems) that npm left out because they were not there on the machine that wrote the file.
 */
export function lockProblems(lock: LockFile): string[] {
  return Object.entries(lock.packages).flatMap(([path, entry]) => [
    ...(entry.resolved?.includes('://') ? [`${path} is tied to the address ${entry.resolved}`] : []),
    ...Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !(`node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages))
      .map((name) => `${path} can bring ${name}, which has no entry`),
  ])
}

function allOf(manifest: Manifest): Readonly<Record<string, string>> {
  return { ...manifest.dependencies, ...manifest.devDependencies }
}

function isBlank(cell: string): boolean {
  return cell.trim() === ''
}
