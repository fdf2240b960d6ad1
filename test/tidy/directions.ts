/** Which part of the house may import from which. Everything points one way, towards the rules and the plain words. */
import { resolveOwn } from './graph.ts'
import type { Import, Source } from './source.ts'

/** What a room may import beside itself: folders end in a slash, single files do not. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  common: [],
  mesh: [],
  'mesh/sim': ['mesh/', 'common/duration.ts'],
  detectors: ['common/'],
  remediators: [
    'common/',
    'detectors/catalogue.ts',
    'detectors/contract.ts',
    'detectors/host/',
    'detectors/manifests/result.ts',
    'detectors/reading/',
    'detectors/recording/redact.ts',
    'detectors/testing/',
  ],
  plugins: ['common/', 'detectors/', 'remediators/'],
  settings: ['common/', 'mesh/', 'detectors/', 'remediators/', 'inspection/'],
  inspection: ['common/', 'detectors/contract.ts', 'mesh/core/model.ts', 'mesh/identity/', 'mesh/wire/'],
  outbox: ['mesh/identity/', 'mesh/wire/'],
  fixer: [
    'common/',
    'mesh/core/model.ts',
    'mesh/identity/',
    'mesh/wire/',
    'detectors/host/',
    'remediators/',
    'plugins/',
  ],
  'node-agent': [
    'common/',
    'mesh/',
    'detectors/',
    'remediators/',
    'plugins/',
    'settings/',
    'inspection/',
    'outbox/',
    'fixer/hands.ts',
  ],
  aggregator: [
    'common/',
    'mesh/',
    'settings/',
    'detectors/contract.ts',
    'detectors/index.ts',
    'detectors/engine/facts-note.ts',
    'detectors/engine/report-note.ts',
    'detectors/recording/notes.ts',
    'detectors/usage/notes.ts',
    'remediators/contract.ts',
    'remediators/earlier.ts',
    'remediators/index.ts',
    'remediators/notes.ts',
    'remediators/permits.ts',
    'remediators/policy/',
    'remediators/guards/',
    'plugins/',
    'inspection/',
    'outbox/',
  ],
  'aggregator/web': [
    'common/languages.ts',
    'common/words/',
    'inspection/',
    'aggregator/alerting/views.ts',
    'aggregator/inspection/model.ts',
    'aggregator/model.ts',
    'aggregator/remediation-model.ts',
    'aggregator/settings-model.ts',
    'aggregator/stream/changes.ts',
    'aggregator/stream/told-state.ts',
    'detectors/contract.ts',
    'remediators/contract.ts',
  ],
  cli: [
    'common/',
    'mesh/',
    'detectors/',
    'remediators/',
    'plugins/',
    'settings/',
    'inspection/',
    'fixer/',
    'node-agent/',
    'aggregator/',
    'bench/',
  ],
  scripts: ['common/', 'detectors/', 'remediators/', 'aggregator/http/'],
}

/** Rooms within rooms, with rules of their own. */
const INNER = ['aggregator/web', 'mesh/sim']

/** Rooms that may import anything: they look at the house from outside. */
const OUTSIDE = ['test', 'bench']

/**
 * The page is bundled for a browser, so of the rest of the house it may have words but no code. What it may run all the same
 * is pure: it makes of an inspection the same words and figures for page, command line and mails, and of what the stream tells
 * the very state that the aggregator told.
 */
const TYPES_ONLY: Readonly<Record<string, { readonly but: readonly string[] }>> = {
  'aggregator/web': { but: ['common/languages.ts', 'common/words/', 'inspection/', 'aggregator/stream/changes.ts'] },
}

/** The part of the house that `file` is in; the empty string for files at the top. */
export function roomOf(file: string): string {
  const inner = INNER.find((room) => file.startsWith(`${room}/`))
  if (inner !== undefined) return inner
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : ''
}

/** Every import of `source` that points the wrong way, in words. */
export function wrongDirections(source: Source): string[] {
  const room = roomOf(source.file)
  if (room === '' || OUTSIDE.includes(room)) return []
  return source.imports.flatMap((entry) => {
    const target = resolveOwn(source.file, entry.specifier)
    const why = target === null ? null : whyNot(room, target, entry)
    return why === null ? [] : [`${source.file} imports ${target}: ${why}`]
  })
}

function whyNot(room: string, target: string, entry: Import): string | null {
  // The version that it states is the package's own.
  if (roomOf(target) === room || target === 'package.json') return null
  const allowed = MAY_IMPORT[room]
  if (allowed === undefined) return `no rule says what ${room}/ may import`
  if (!isIn(target, allowed)) return `${room}/ may import ${allowed.join(', ') || 'nothing of ours'}`
  const { but } = TYPES_ONLY[room] ?? {}
  if (but === undefined || entry.typeOnly || isIn(target, but)) return null
  return `${room}/ may import types only, but for ${but.join(', ')}`
}

function isIn(target: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? target.startsWith(place) : target === place))
}
