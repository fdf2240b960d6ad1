/** One arm of a comparison: a SWIM-like failure detector on the machines of a stage, told apart by its profile. */
import type { Stage } from '../stage.ts'
import { Member } from './member.ts'
import type { Opinion } from './opinions.ts'
import { type PauseStops, Processes } from './process.ts'
import type { Profile } from './profile.ts'

export interface ArmOptions {
  /** `all` unless told. */
  readonly pauseStops?: PauseStops
}

export class Arm {
  readonly #processes: Processes

  /**
   * Starts at once, all members knowing each other. They run by the stage's agenda and as their hosts do.
   * @param names Machines that are on the stage; throws for one that is not.
   * @param tell Gets every change of mind of every member; who starts again holds everybody alive.
   */
  constructor(
    stage: Stage,
    names: readonly string[],
    profile: Profile,
    tell: (opinion: Opinion) => void,
    { pauseStops = 'all' }: ArmOptions = {},
  ) {
    const current = new Map<number, Member>()
    this.#processes = new Processes(stage, names, pauseStops, (self) => {
      const by = self.machine.name
      const opine = (subject: number, state: Opinion['state']) => {
        tell({ at: stage.agenda.now, by, subject: names[subject] ?? '', state })
      }
      const before = current.get(self.index)
      for (let subject = 0; before !== undefined && subject < names.length; subject++) {
        if (before.view.of(subject).state !== 'alive') opine(subject, 'alive')
      }
      const member = new Member({ self, profile, members: names.length, joins: before !== undefined, opine })
      current.set(self.index, member)
      self.runs(member)
    })
  }

  /** UDP packets sent so far. */
  get packets(): number {
    return this.#processes.packets
  }
}
