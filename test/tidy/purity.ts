/**
 * The rules of Starling are pure code: time, chance and the outside world are handed to them. That is why the simulator
 * can run the very code that ships, on virtual time.
 */
import { matchesGlob } from 'node:path'
import { packageOf, resolveOwn } from './graph.ts'
import type { Source } from './source.ts'

/** Files that are pure, but for the adapters below. What they import for more than its types is pure too. */
const PURE = [
  'mesh/core/**',
  'mesh/election/**',
  'mesh/sim/**',
  'mesh/wire/**',
  'detectors/*.ts',
  'detectors/{engine,reading}/*.ts',
  'detectors/host/{port,glob,guarded}.ts',
  'detectors/logs/{judge-log,kmsg-records,pattern-syntax}.ts',
  'detectors/manifests/{judge-results,result}.ts',
  'detectors/manifests/dialects/*.ts',
  'remediators/*.ts',
  'remediators/{disk,guards,kernel,policy,units}/*.ts',
  'settings/*.ts',
  'common/*.ts',
  'common/words/*.ts',
  'node-agent/outbox/{config,news,ring}.ts',
  'aggregator/copies/{acknowledgements,alarm,batch,given,view}.ts',
  'aggregator/outboxes/{agenda,scratch}.ts',
  'inspection/**',
  'aggregator/model.ts',
  'aggregator/outcomes/model.ts',
  'aggregator/reports/{html,inspection-details,inspection-input,inspection-report,layout,plain-text,review-report,review-texts,schedule,texts}.ts',
  'aggregator/event-model.ts',
  'aggregator/alerting/{causes,found,holding,incidents,keys,measured,model,restore,routing,silence-model,symptoms}.ts',
  'aggregator/measures/source.ts',
  'aggregator/stream/{changes,told-state}.ts',
  'aggregator/measures/{fleet-measures,minutes,pod-labels,workloads}.ts',
  'aggregator/kubernetes/labels/{label-selector,pod-metadata}.ts',
  'aggregator/kubernetes/marking/*.ts',
  'aggregator/kubernetes/remediations/rules/*.ts',
]

/** The files among them that do the I/O, look at the clock or wait, so that the others need not. */
const ADAPTERS = [
  'detectors/engine/{clock,engine,samples,store}.ts',
  'remediators/{control,deeds,diagnostics,hands,run,store}.ts',
  'settings/store.ts',
  'common/{atomic-file,config-file,moment,node-http,pino-log,yaml-file}.ts',
]

/** Modules that compute and do nothing else. Of node:crypto only that holds for hashing, which is all that is used. */
const PURE_MODULES = ['cborg', 'zod', '@noble/hashes', 'protons-runtime', 'uint8arraylist']
const HASHING = ['remediators/plan.ts', 'aggregator/kubernetes/remediations/rules/tokens.ts']
/** Of node-cron only its parser, which computes. */
const CRON = ['remediators/policy/cron.ts']

const FORBIDDEN_NAMES = [
  'Date',
  'Math.random',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
]

export function isPure(file: string): boolean {
  const matches = (pattern: string) => matchesGlob(file, pattern)
  return PURE.some(matches) && !ADAPTERS.some(matches)
}

/** Everything in a pure file that reaches outside, in words; nothing for a file that is not meant to be pure. */
export function impurities(source: Source): string[] {
  if (!isPure(source.file)) return []
  const names = FORBIDDEN_NAMES.filter((name) => source.names.has(name)).map((name) => `${source.file} uses ${name}`)
  const imports = source.imports
    .filter((entry) => !(entry.typeOnly || isPureImport(source.file, entry.specifier)))
    .map(
      (entry) =>
        `${source.file} imports ${entry.specifier}, which is not known to be pure (see ADAPTERS in test/tidy/purity.ts)`,
    )
  return [...names, ...imports]
}

function isPureImport(from: string, specifier: string): boolean {
  const own = resolveOwn(from, specifier)
  if (own !== null) return isPure(own)
  if (specifier === 'node:crypto') return HASHING.includes(from)
  if (specifier === 'node-cron') return CRON.includes(from)
  const name = packageOf(specifier)
  return name !== null && PURE_MODULES.includes(name)
}
