/**
 * The present as messages of the stream. What was told last is held, with a number: whoever has just that is told what
 * changed since, and anybody else the whole of it. So nobody's state can drift, and nothing is kept for those who are late.
 */
import type { OfficeView, Snapshot } from '../model.ts'
import { changesBetween, toldStateOf } from './changes.ts'
import type { NumberedState, ToldState } from './told-state.ts'

/** What whoever has been told nothing has; no state has this number. */
export const NOTHING_TOLD = 0

type Told =
  | { readonly kind: 'state'; readonly state: NumberedState }
  | { readonly kind: 'office'; readonly text: string }

export class StateFeed {
  #number = NOTHING_TOLD
  #told: Told | undefined
  /** Made when the first wants it; the same bytes for everybody. */
  #whole: Buffer | undefined
  /** From the number before. */
  #change: Buffer | undefined

  /** Of what is told now. */
  get number(): number {
    return this.#number
  }

  get isEmpty(): boolean {
    return this.#told === undefined
  }

  /** Takes in how things are now. `present`: undefined while this aggregator does not lead. */
  look(present: Snapshot | undefined, office: OfficeView): void {
    if (present !== undefined) {
      this.#lookAt(toldStateOf(present))
      return
    }
    const text = JSON.stringify(office)
    if (this.#told?.kind !== 'office' || this.#told.text !== text) this.#tell({ kind: 'office', text })
  }

  /** Nobody listens any more: nothing is held for them. */
  forget(): void {
    this.#told = undefined
    this.#whole = undefined
    this.#change = undefined
  }

  /** What brings up to date whoever was told that number last. */
  since(number: number): { readonly bytes: Buffer; readonly isWhole: boolean } {
    if (number === this.#number - 1 && this.#change !== undefined) return { bytes: this.#change, isWhole: false }
    this.#whole ??= this.#wholeMessage()
    return { bytes: this.#whole, isWhole: true }
  }

  #lookAt(now: ToldState): void {
    const number = this.#number + 1
    if (this.#told?.kind === 'state') {
      const change = changesBetween(this.#told.state, now)
      if (change === undefined) return
      this.#tell({ kind: 'state', state: { ...now, number } }, message('change', JSON.stringify(change)))
    } else this.#tell({ kind: 'state', state: { ...now, number } })
  }

  #tell(told: Told, change?: Buffer): void {
    this.#number++
    this.#told = told
    this.#whole = undefined
    this.#change = change
  }

  #wholeMessage(): Buffer {
    if (this.#told === undefined) throw new Error('nothing was looked at yet')
    return this.#told.kind === 'office'
      ? message('office', this.#told.text)
      : message('state', JSON.stringify(this.#told.state))
  }
}

/** JSON has no raw line breaks, so one data line always holds it. */
function message(name: 'state' | 'change' | 'office', json: string): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${json}\n\n`)
}
