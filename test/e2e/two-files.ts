/**
 * A plugin for tests: writes two files, one after the other. At the point that /etc/hold names it says so in /etc/reached and
 * gets no further, so that its process can be killed there.
 */
import { type Control, defineRemediator, StalePlan, z } from '../../remediators/authors.ts'

async function holdAt(point: string, control: Control): Promise<void> {
  if ((await control.host.readText('/etc/hold')).trim() !== point) return
  await control.replaceFile('/etc/reached', point)
  await new Promise(() => {})
}

export const twoFiles = defineRemediator({
  name: 'two-files',
  summary: 'Writes two files.',
  handles: ['TwoFilesOld'],
  reach: 'none',
  risk: 'low',
  reversible: true,
  touches: { paths: ['/etc/*'], writes: ['/etc/first', '/etc/second', '/etc/reached'] },
  options: z.strictObject({}),
  plan: () =>
    ['/etc/first', '/etc/second'].map((what) => ({ what, before: 'old', after: 'new', undo: `echo old > ${what}` })),
  async apply({ changes }, control) {
    for (const { what, before } of changes) {
      if ((await control.host.readText(what)) !== before) throw new StalePlan(`${what} has changed`)
    }
    await holdAt('nothing', control)
    for (const { what, after } of changes) {
      await control.replaceFile(what, after)
      await holdAt(what, control)
    }
  },
  async revert({ changes }, control) {
    for (const { what, before } of changes) await control.replaceFile(what, before)
  },
})
