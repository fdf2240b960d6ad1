import { createInterface } from 'node:readline/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { requireMesh } from '../../aggregator/settings-file.ts'
import type { SettingsDetail } from '../../aggregator/settings-model.ts'
import { ExitCode, UsageError } from '../../common/errors.ts'
import { readYamlFile } from '../../common/yaml-file.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { type Difference, differences } from '../../settings/differences.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import { type RolloutSettings, rolloutPart } from '../../settings/stages.ts'
import { validateKnownSettings } from '../../settings/validate.ts'
import { type ApiClient, createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { addReasonOption } from '../reason.ts'
import { differenceLines } from '../settings/differences.ts'
import { followRollout } from '../settings/follow.ts'
import { statusExit, statusLines } from '../settings/status.ts'
import { printable } from '../text.ts'

const REGISTRIES = { detectors: builtinDetectors, remediators: builtinRemediators }

type CommonOptions = ConnectionFlags & { readonly output: OutputFormat }

interface ApplyOptions extends CommonOptions {
  readonly stages?: readonly string[]
  readonly soak?: NonNullable<RolloutSettings['soak']>
  readonly onHalt?: 'hold' | 'rollback'
  readonly yes?: true
  readonly wait: boolean
}

export function registerSettings(program: Command): void {
  const group = program
    .command('settings')
    .description('what nodes look for and may mend: see it, roll it out, go back')

  const diff = group
    .command('diff')
    .description('what a file says otherwise than the settings in force')
    .argument('<file>', 'a settings document')
    .addHelpText('after', '\nExit codes: 0 they say the same, 3 they differ, 1 error, 2 the file is wrong')
    .action(async (file: string, options: CommonOptions) => {
      const { before, changes } = await compared(file, await createClient(resolveConnection(options)).settings())
      if (options.output === 'json') printJson('SettingsDifferenceList', changes)
      else print(changes.length === 0 ? `${file} says what version ${before.version} says\n` : differenceLines(changes))
      if (changes.length > 0) process.exitCode = ExitCode.problem
    })
  addOutputOption(addConnectionOptions(diff))

  const apply = group
    .command('apply')
    .description('hands a newer version in, which reaches a few nodes first and is halted when they fare worse')
    .argument('<file>', 'a settings document; its version must be higher than any before')
    .option('--stages <shares>', 'shares of each pool, as 5%,25%,100%; 100% alone is everybody at once', parseStages)
    .option('--soak <length>', 'how long each stage is watched, as 2m', parseSoak)
    .addOption(new Option('--on-halt <what>', 'what becomes of nodes that have it').choices(['hold', 'rollback']))
    .option('--yes', 'without asking')
    .option('--no-wait', 'does not wait until it is everywhere')
    .addHelpText('after', '\nExit codes: 0 in force, 3 halted or replaced, 1 error, 2 the file is wrong')
    .action(applySettings)
  addOutputOption(addConnectionOptions(apply))

  const rollback = group
    .command('rollback')
    .description('gives the content of an earlier version to all nodes, as a new version')
    .argument(
      '[version]',
      'by default what was in force before, or what a halted version has not replaced',
      parseVersion,
    )
    .option('--no-wait', 'does not wait until it is everywhere')
    .action(async (version: number | undefined, options: CommonOptions & { reason: string; wait: boolean }) => {
      const client = createClient(resolveConnection(options))
      const wanted = version === undefined ? {} : { version }
      const event = await client.rollBack({ ...wanted, reason: options.reason, via: 'cli' })
      await handedIn(client, (await client.settings()).version, event.summary, options)
    })
  addOutputOption(addConnectionOptions(addReasonOption(rollback)))

  const release = group
    .command('release')
    .description('lets the findings of a detector count again whose newer version is held, because they jumped')
    .argument('<detector>', 'its name, as `settings status` shows it')
    .action(async (detector: string, options: CommonOptions & { reason: string }) => {
      const client = createClient(resolveConnection(options))
      const event = await client.releaseDetector(detector, { reason: options.reason, via: 'cli' })
      if (options.output === 'json') printJson('EventList', [event])
      else print(`${printable(event.summary)}\n`)
    })
  addOutputOption(addConnectionOptions(addReasonOption(release)))

  const status = group
    .command('status')
    .description('the version in force, the one on its way, and what each node runs')
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 3 halted or refused, 4 a node does not run what it should yet, 1 error',
    )
    .action(async (options: CommonOptions) => {
      const client = createClient(resolveConnection(options))
      const [{ settings, members }, { versions }] = await Promise.all([client.state(), client.settings()])
      if (options.output === 'json') printJson('SettingsStatus', [{ ...settings, versions }])
      else print(statusLines(settings, members))
      process.exitCode = statusExit(settings, members)
    })
  addOutputOption(addConnectionOptions(status))
}

async function applySettings(file: string, options: ApplyOptions): Promise<void> {
  const client = createClient(resolveConnection(options))
  const { before, after, changes } = await compared(file, await client.settings())
  note(`settings version ${before.version} → ${after.version}`)
  process.stderr.write(
    changes.length === 0 ? 'nothing but its version differs\n' : differenceLines(changes, process.stderr),
  )
  if (options.yes !== true && !(await agrees())) {
    note('nothing was changed')
    return
  }
  const { stages, soak, onHalt } = options
  const given = { ...(stages && { stages: [...stages] }), ...(soak && { soak }), ...(onHalt && { onHalt }) }
  const rollout: RolloutSettings | undefined = Object.keys(given).length === 0 ? undefined : given
  const event = await client.propose({ document: after, via: 'cli', ...(rollout === undefined ? {} : { rollout }) })
  await handedIn(client, after.version, event.summary, options)
}

async function handedIn(client: ApiClient, version: number, says: string, options: CommonOptions & { wait: boolean }) {
  const isJson = options.output === 'json'
  if (!isJson) print(`${printable(says)}\n`)
  const end = options.wait ? await followRollout(client, version) : undefined
  if (isJson) printJson('SettingsStatus', [(await client.state()).settings])
  else if (end !== undefined) print(`${printable(end.says)}\n`)
  if (end?.isGood === false) process.exitCode = ExitCode.problem
}

interface Comparison {
  readonly before: SettingsDocument
  readonly after: SettingsDocument
  /** Without the version, which always differs. */
  readonly changes: readonly Difference[]
}

async function compared(file: string, { document: before }: SettingsDetail): Promise<Comparison> {
  // Names of plugins that are not here, or of nothing at all: only the leader can tell.
  const after = validateKnownSettings(readYamlFile(file).value, file, REGISTRIES)
  requireMesh(after, file, before.mesh)
  return { before, after, changes: differences(before, after).filter(({ path }) => path !== 'version') }
}

async function agrees(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('nobody can be asked here', 'give --yes to hand it in without asking')
  const line = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await line.question('Roll it out? [y/N] ')).trim())
  } finally {
    line.close()
  }
}

function parseStages(text: string): readonly string[] {
  return checked({ stages: text.split(',').map((share) => share.trim()) }).stages ?? []
}

function parseSoak(text: string): RolloutSettings['soak'] {
  return checked({ soak: text }).soak
}

function checked(rollout: object): RolloutSettings {
  const parsed = rolloutPart.safeParse(rollout)
  if (parsed.success) return parsed.data
  throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'It is not valid.')
}

function parseVersion(text: string): number {
  const version = Number(text)
  if (Number.isInteger(version) && version > 0) return version
  throw new InvalidArgumentError('Give the number of a version.')
}
