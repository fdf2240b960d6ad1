/** Settings without a mesh behind them: what is handed in is on its way at once, and what is gone back to in force. */
import type { Event, SettingsPort } from '../../aggregator/model.ts'
import type { SettingsView } from '../../aggregator/settings-model.ts'
import type { SettingsSide } from '../../aggregator/sides.ts'
import { StarlingError, UsageError } from '../../common/errors.ts'
import type { SettingsDocument } from '../../settings/document.ts'

export const SETTINGS_VIEW: SettingsView = {
  version: 3,
  applied: { 'node-1': 3, 'node-2': 3, 'node-3': 3, 'node-4': 2, 'node-5': 3 },
  refused: {},
  rollout: null,
  held: [],
  last: null,
}

export const SETTINGS: SettingsDocument = {
  version: 3,
  mesh: 'sample-mesh',
  detectors: { conntrack: { options: { warnRatio: 0.7 } } },
}

export function sampleSettings(
  view: () => SettingsView,
  change: (view: SettingsView) => void,
  event: (summary: string) => Event,
): SettingsPort {
  return {
    detail: () => ({
      ...view(),
      document: SETTINGS,
      versions: [3, 2, 1].map((version) => ({ version, at: '2026-03-14' })),
    }),
    propose({ document, rollout, via }, by) {
      const version = (document as SettingsDocument | null)?.version ?? 0
      if (!(version > view().version)) throw new UsageError(`settings version ${version} is too low`, 'raise it')
      const stages = rollout?.stages ?? ['20%', '100%']
      const nodes = stages.length === 1 ? Object.keys(view().applied) : ['node-3']
      const since = new Date().toISOString()
      const soakMs = 120_000
      change({
        ...view(),
        rollout: { version, nodes, of: 5, stagesLeft: stages.length - 1, since, soakMs, halted: null },
      })
      return event(`settings version ${version} handed in by ${by} (${via})`)
    },
    release(detector, { reason, via }, by) {
      if (!view().held.some((hold) => hold.detector === detector))
        throw new StarlingError(`no finding of ${detector} is held`)
      change({ ...view(), held: [] })
      return event(`findings of ${detector} released by ${by} (${via}): ${reason}`)
    },
    rollBack({ version = 2, reason, via }, by) {
      if (version > 3) throw new StarlingError(`there is no version ${version} to go back to`)
      change({ ...view(), version: 4, rollout: null })
      return event(`settings go back to version ${version}, as version 4, by ${by} (${via}): ${reason}`)
    },
  }
}

/** For a service that nobody asks about settings. */
export const SETTINGS_SIDE: SettingsSide = {
  ...sampleSettings(
    () => SETTINGS_VIEW,
    () => {},
    () => {
      throw new Error('nothing is decided here')
    },
  ),
  view: () => SETTINGS_VIEW,
}
