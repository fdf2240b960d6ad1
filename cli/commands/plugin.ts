import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { ExitCode, StarlingError, UsageError } from '../../common/errors.ts'
import { silentLog } from '../../common/log.ts'
import { renderDetectors } from '../../detectors/catalogue.ts'
import type { Detector } from '../../detectors/contract.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import type { Recorded } from '../../detectors/recording/recorded.ts'
import { loadPluginFile } from '../../plugins/load.ts'
import { PLUGINS_FOLDER } from '../../plugins/place.ts'
import { PluginShelf } from '../../plugins/shelf.ts'
import { pluginTsconfig } from '../../plugins/types.ts'
import { createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { readOptions } from '../detectors/look.ts'
import { untilSignal } from '../lifetime.ts'
import { note, print, showWaiting } from '../output.ts'
import { develop } from '../plugin/dev.ts'
import { recordHere, recordOn, renderRecorded, requireEmpty } from '../plugin/record.ts'
import { writeRecording } from '../plugin/recording-folder.ts'
import { shellTemplate, typescriptTemplate } from '../plugin/templates.ts'
import { add, pluginsIn, type Tally, testPlugin } from '../plugin/test-run.ts'

const TSCONFIG = 'tsconfig.json'
const line = (text: string) => print(`${text}\n`)

export function registerPlugin(program: Command): void {
  const plugin = program.command('plugin').description('write, test and try a detector of your own')
  plugin
    .command('new')
    .description('a detector that works, with its tests and recorded hosts, in this folder')
    .argument('<name>', 'lower-case words with dashes between them')
    .addOption(new Option('--lang <language>', 'what it is written in').choices(['ts', 'sh']).default('ts'))
    .action(create)
  withSeed(
    plugin
      .command('test')
      .description('what every detector must do, and the tests beside it')
      .argument('[files...]', 'plugins; all of this folder when not given'),
  ).action(test)
  withSeed(
    plugin
      .command('dev')
      .description('checks it on each change, and has the agents of a local mesh run it')
      .argument('<file>')
      .option('--dir <folder>', 'of a mesh started by `starling up`', '.starling')
      .option('--host-root <folder>', 'the host to try it on', '/'),
  ).action(dev)
  const recording = plugin
    .command('record')
    .description('one look at a real host, redacted, as a recorded host for tests')
    .argument('<name>', 'a detector, or the file of a plugin')
    .option('--here', 'this host')
    .option('--on <node>', "the host of a node, by its agent and with its settings' options")
    .option('--out <folder>', 'where to; fixtures/NAME/recorded when not given')
    .option('--plugins <folder>', 'with --here: where plugins are', PLUGINS_FOLDER)
    .option('--options <file|key=value>', 'with --here: options of the detector; may be given again', collect, [])
    .action(recordHost)
  addConnectionOptions(recording)
  plugin
    .command('docs')
    .description('its reference page, in Markdown')
    .argument('[files...]', 'plugins; all of this folder when not given')
    .action(docs)
}

function withSeed(command: Command): Command {
  return command.option('--seed <number>', 'of the random input; the same seed, the same checks', Number)
}

function collect(word: string, before: readonly string[]): readonly string[] {
  return [...before, word]
}

function create(name: string, { lang }: { lang: 'ts' | 'sh' }): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 63) {
    throw new UsageError(`${name} is no name of a detector`, 'lower-case words with dashes between them, as mail-queue')
  }
  if (builtinDetectors.some((detector) => detector.name === name)) {
    throw new UsageError(`Starling has a detector ${name} already`, 'another name')
  }
  const { files, executable } = lang === 'sh' ? shellTemplate(name) : typescriptTemplate(name)
  const taken = Object.keys(files).find((file) => existsSync(file))
  if (taken !== undefined) throw new UsageError(`${taken} is there already`, 'another name, or another folder')
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: executable.includes(file) ? 0o755 : 0o644 })
    line(`  ${file}`)
  }
  // One for all plugins of a folder; what somebody has changed in it stays.
  if (!existsSync(TSCONFIG)) {
    writeFileSync(TSCONFIG, pluginTsconfig())
    line(`  ${TSCONFIG}`)
  }
  const main = lang === 'sh' ? `${name}.yaml` : `${name}.ts`
  line(`\nNext: starling plugin test ${main}`)
}

async function test(files: readonly string[], { seed = randomSeed() }: { seed?: number }): Promise<void> {
  if (!Number.isInteger(seed)) throw new UsageError('--seed must be a whole number')
  let tally: Tally = { passed: 0, failed: 0 }
  for (const file of files.length > 0 ? files : pluginsIn('.')) {
    if (!existsSync(file)) throw new UsageError(`there is no ${file}`)
    tally = add(tally, await testPlugin(file, seed, line))
  }
  line(`\n${tally.passed} passed, ${tally.failed} failed (seed ${seed})`)
  process.exitCode = tally.failed === 0 ? ExitCode.ok : ExitCode.error
}

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 31)
}

async function dev(
  file: string,
  { seed = randomSeed(), ...rest }: { seed?: number; dir: string; hostRoot: string },
): Promise<void> {
  await develop({ file, seed, tell: line, ...rest }, untilSignal())
}

interface RecordOptions extends ConnectionFlags {
  readonly here?: true
  readonly on?: string
  readonly out?: string
  readonly plugins: string
  readonly options: readonly string[]
}

async function recordHost(name: string, given: RecordOptions): Promise<void> {
  if ((given.here === undefined) === (given.on === undefined))
    throw new UsageError('say which host', 'give --here, or --on NODE')
  const detector = isFile(name) ? (await detectorIn(name)).name : name
  const out = given.out ?? join('fixtures', detector, 'recorded')
  requireEmpty(out)
  const recorded =
    given.on === undefined ? await recordedHere(name, given) : await recordedOn(given.on, detector, given)
  const { files, bytes } = writeRecording(out, recorded.host)
  note(`it touches ${recorded.touches}`)
  print(renderRecorded(recorded))
  line(
    `\n${files} ${files === 1 ? 'file' : 'files'}, ${bytes} bytes in ${out}. Names, addresses and secrets were replaced by their form:`,
  )
  line('look through it before you give it to anybody.')
}

async function recordedHere(name: string, { plugins, options }: RecordOptions): Promise<Recorded> {
  const detector = await detectorCalled(name, plugins)
  return recordHere(detector, readOptions(detector, options))
}

async function recordedOn(node: string, detector: string, given: RecordOptions): Promise<Recorded> {
  if (given.options.length > 0) throw new UsageError('--options with --on', 'a node looks as its settings say')
  const stop = showWaiting(`waiting for ${node} to look`)
  return recordOn(node, detector, createClient(resolveConnection(given))).finally(stop)
}

function isFile(name: string): boolean {
  return /\.[a-z]+$/.test(name)
}

async function detectorIn(file: string): Promise<Detector> {
  const [detector] = (await loadPluginFile(resolve(file))).detectors
  if (detector !== undefined) return detector
  throw new StarlingError(`${file} holds no detector`)
}

async function detectorCalled(name: string, plugins: string): Promise<Detector> {
  if (isFile(name)) return detectorIn(name)
  const shelf = await PluginShelf.load({ folder: resolve(plugins), packages: [] }, silentLog)
  const detector = shelf.registries.detectors.find((one) => one.name === name)
  if (detector === undefined) throw new UsageError(`there is no detector ${name}`, 'starling detectors list has them')
  return detector
}

async function docs(files: readonly string[]): Promise<void> {
  const plugins = await Promise.all(
    (files.length > 0 ? files : pluginsIn('.')).map((file) => loadPluginFile(resolve(file))),
  )
  line(renderDetectors(plugins.flatMap(({ detectors }) => detectors)))
}
