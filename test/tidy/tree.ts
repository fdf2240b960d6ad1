/** The files of this repository: tracked ones, and new ones that git does not ignore. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSource, type Source } from './source.ts'

const root = join(import.meta.dirname, '..', '..')

export const files: readonly string[] = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))

/** Recorded bytes of other people's machines and programs; no rule of ours applies to what is in them. */
export const isFixture = (file: string): boolean => file.includes('/fixtures/')

export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

export const sources: readonly Source[] = files
  .filter((file) => /\.tsx?$/.test(file) && !isFixture(file))
  .map((file) => readSource(file, readText(file)))
