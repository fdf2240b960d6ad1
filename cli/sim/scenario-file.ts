/** Scenario files: those that come with Starling, by name, and any other by its path. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { z } from 'zod'
import { UsageError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { keysAt } from '../../common/schema-shape.ts'
import { unknownKeyError } from '../../common/setting-errors.ts'
import { readYamlFile, type YamlFile } from '../../common/yaml-file.ts'
import { type Scenario, scenarioSchema } from '../../mesh/sim/scenario/schema.ts'

const FOLDER = join(import.meta.dirname, 'scenarios')
const ENDING = '.yaml'

/** Names of the scenarios that come with Starling, in alphabetical order. */
export function scenarioNames(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => basename(file, ENDING))
    .toSorted()
}

/** `which`: a name, or the path of a file, which has a slash or ends in .yaml. Throws UsageError with place and remedy. */
export function readScenario(which: string): Scenario {
  const isFile = which.includes('/') || which.endsWith(ENDING)
  if (!isFile && !scenarioNames().includes(which)) {
    const meant = nearest(which, scenarioNames())
    const remedy = meant === undefined ? '`starling sim --list` lists them' : `did you mean "${meant}"?`
    throw new UsageError(`there is no scenario "${which}"`, remedy)
  }
  const file = readYamlFile(isFile ? which : join(FOLDER, `${which}${ENDING}`))
  const result = scenarioSchema.safeParse(file.value)
  if (result.success) return result.data
  throw explain(file, result.error)
}

function explain(file: YamlFile, error: z.ZodError): UsageError {
  // A mistyped key first: the value that seems to be missing is often the one behind it.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]
  if (issue === undefined) return new UsageError(`${file.file} is not a scenario`)
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const place = [file.placeOf(issue.path, unknownKey), issue.path.map(String).join('.')].filter((part) => part !== '')
  const where = place.join(': ')
  if (unknownKey !== undefined)
    return unknownKeyError(where, unknownKey, keysAt(scenarioSchema, issue.path, file.value))
  return new UsageError(
    `${where}: ${messageOf(issue)}`,
    'docs/simulator.md has the format; `starling sim --list` examples',
  )
}

/** Of a union the reason of the alternative that came closest: the first that says more than that the type is another. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue.message
  const reasons = issue.errors.flat()
  const closest = reasons.find(({ code }) => code !== 'invalid_type') ?? reasons[0]
  return closest === undefined ? issue.message : messageOf(closest)
}
