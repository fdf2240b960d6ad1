import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ExitCode, messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { note, print } from '../output.ts'
import { table } from '../table.ts'
import { printable } from '../text.ts'

/** A device or a log given by mistake must not fill the memory. */
const FILE_BYTES_MAX = 1024 * 1024

interface ImportOptions {
  readonly out?: string
  readonly folder: string
}

export function registerImport(program: Command): void {
  const command = program.command('import').description("takes over what other programs' configuration looks for")
  command
    .command('npd')
    .description("node-problem-detector's custom-plugin-monitor or system-log-monitor, as plugins")
    .argument('<file>', 'its JSON')
    .option(
      '--out <folder>',
      'write each plugin to a file there, such as /etc/starling/plugins.d; without it to stdout',
    )
    .option('--folder <path>', 'folder that relative paths of programs are relative to', '/')
    .addHelpText('after', '\nExit codes: 0 all of it was taken over, 4 rules were left out, 1 error, 2 usage')
    .action(async (file: string, { out, folder }: ImportOptions) => {
      // Only here, as in agent.ts.
      const { importNpd } = await import('../../detectors/manifests/npd/import.ts')
      const { readPluginManifest } = await import('../../detectors/manifests/manifest.ts')
      const { manifests, notes, leftOut } = importNpd(read(file), file, { folder })
      for (const { name, text } of manifests) readPluginManifest(text, `${name}.yaml`)
      if (out === undefined) print(manifests.map(({ text }) => text).join('---\n'))
      else writeAll(out, manifests)
      for (const text of notes) note(`note: ${text}`)
      for (const text of leftOut) note(`left out: ${text}`)
      if (leftOut.length > 0) process.exitCode = ExitCode.warnings
    })
}

function read(file: string): string {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) throw new Error('it is larger than 1 MiB')
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`)
  }
}

/** All or none: what somebody has changed there is not written over. */
function writeAll(folder: string, manifests: readonly { readonly name: string; readonly text: string }[]): void {
  const files = manifests.map(({ name, text }) => ({ name, text, file: join(folder, `${name}.yaml`) }))
  const other = files.find(({ file, text }) => existsSync(file) && readFileSync(file, 'utf8') !== text)
  if (other !== undefined) {
    throw new UsageError(`${other.file} is there already and says something else`, 'remove it, or give another --out')
  }
  try {
    mkdirSync(folder, { recursive: true })
    for (const { file, text } of files) writeFileSync(file, text)
  } catch (cause) {
    throw new StarlingError(`cannot write to ${folder}: ${messageOf(cause)}`, { cause })
  }
  print(
    table(
      ['PLUGIN', 'FILE'],
      files.map(({ name, file }) => [name, printable(file)]),
    ),
  )
}
