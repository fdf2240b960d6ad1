/** The plugins of a node while their folder and the settings change: one that does not fit disturbs no other. */
import { afterEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { silentLog } from '../../common/log.ts'
import { type Detector, defineDetector, type Finding } from '../../detectors/contract.ts'
import { systemClock } from '../../detectors/engine/clock.ts'
import type { Shed } from '../../detectors/engine/engine.ts'
import { PluginRoom } from '../../node-agent/plugin-room.ts'
import { fixtureHost } from './fixture-host.ts'
import { scripted } from './scripted.ts'

afterEach(() => vi.restoreAllMocks())

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
    onShed: () => {},
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

it('tell which of them look more rarely for what they cost, and that none does when they start anew', async () => {
  let cpuMs = 0
  let nowMs = 0
  vi.spyOn(systemClock, 'cpuMs').mockImplementation(() => cpuMs)
  vi.spyOn(systemClock, 'now').mockImplementation(() => ({ ms: nowMs, wall: '2026-01-01T00:00:00.000Z' }))
  // Looks only when told to.
  vi.spyOn(systemClock, 'sleep').mockImplementation(
    (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  const { detector } = scripted('dear', () => {
    cpuMs += 2_000
    return 1
  })
  let change = () => {}
  const shed: (readonly Shed[])[] = []
  const room = new PluginRoom({
    shelf: {
      detectors: [detector],
      plugins: [],
      problems: [],
      watch(onChange) {
        change = onChange
        return () => {}
      },
    },
    host: fixtureHost('empty'),
    settings: () => ({}),
    onLoaded: () => {},
    onReport: () => {},
    onLook: () => {},
    onShed: (now) => void shed.push(now),
    memory: { kept: { isSameBoot: false, detectors: new Map() }, save: async () => {} },
    log: silentLog,
  })
  try {
    change()
    expect(shed).toEqual([])
    for (let look = 0; look < 4; look++) {
      await room.runNow('dear')
      nowMs += 11_000
    }
    expect(shed).toEqual([[{ detector: 'dear', everyMs: 10_000, paceMs: expect.any(Number) }]])
    change()
    expect(shed.at(-1)).toEqual([])
  } finally {
    await room.stop()
  }
})
