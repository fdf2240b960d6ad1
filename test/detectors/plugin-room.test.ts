/** The plugins of a node while their folder and the settings change: one that does not fit disturbs no other. */
import { expect, it } from 'vitest'
import { z } from 'zod'
import { silentLog } from '../../common/log.ts'
import { type Detector, defineDetector, type Finding } from '../../detectors/contract.ts'
import { PluginRoom } from '../../node-agent/plugin-room.ts'
import { fixtureHost } from './fixture-host.ts'
import { scripted } from './scripted.ts'

it('go on where the settings in force do not fit a plugin that was replaced, which is told of and back when they do', async () => {
  const { detector: steady } = scripted('steady', () => 1)
  const { detector: old } = scripted('replaced', () => 1)
  const replaced = defineDetector({
    ...old,
    options: z.strictObject({ other: z.number().default(1) }),
  } as never) as Detector
  const loaded = (detectors: readonly Detector[]) => ({ detectors, plugins: [], problems: [] })
  let settings: Record<string, unknown> = { replaced: { options: { limit: 7 } } }
  let shelf = loaded([steady, old])
  let change = () => {}
  let told: readonly Finding[] = []
  const reported: string[] = []
  const room = new PluginRoom({
    shelf: {
      get detectors() {
        return shelf.detectors
      },
      plugins: [],
      problems: [],
      watch(onChange) {
        change = onChange
        return () => {}
      },
    },
    host: fixtureHost('empty'),
    settings: () => settings,
    onLoaded: (...findings) => {
      told = findings
    },
    onReport: ({ detector, findings }) => void reported.push(`${detector} ${findings[0]?.reason ?? 'taken back'}`),
    onLook: () => {},
    memory: { kept: { isSameBoot: false, detectors: new Map() }, save: async () => {} },
    log: silentLog,
  })
  try {
    shelf = loaded([steady, replaced])
    change()
    expect(told).toMatchObject([{ reason: 'PluginNotLoaded', cause: 'replaced', status: 'warn' }])
    expect([room.has('steady'), room.has('replaced'), reported]).toEqual([true, false, ['replaced taken back']])
    expect(await room.runNow('steady')).toMatchObject([{ reason: 'Ok' }])
    settings = {}
    room.reconfigure()
    expect(told).toMatchObject([{ reason: 'Ok' }])
    expect(await room.runNow('replaced')).toMatchObject([{ reason: 'Ok' }])
    await room.stop()
    shelf = loaded([])
    change()
    expect(room.has('steady')).toBe(true)
  } finally {
    await room.stop()
  }
})
