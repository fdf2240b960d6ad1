/** What alerting thinks in: symptoms that rules see, incidents that they make together, and what is said of those to whom. */
import type { Language } from '../../common/languages.ts'
import type { NodeTraits } from '../../common/selector.ts'
import type { Severity } from '../../detectors/contract.ts'

/** What a symptom is of decides what it is one incident with. */
export type SymptomKind = 'mesh' | 'frozen' | 'node' | 'finding' | 'measure'

/** One thing that a rule holds wrong. */
export interface Symptom {
  /** The same thing, seen again, has the same. */
  readonly key: string
  readonly kind: SymptomKind
  /** Name of the rule; `built-in` for what the mesh says itself. */
  readonly rule: string
  /** PascalCase of a finding or a verdict; of a rule over measures its name. */
  readonly reason: string
  readonly severity: Severity
  /** Undefined when it is of no node. */
  readonly at: NodeTraits | undefined
  /** Tells apart several under one reason on one node; empty when there is just one. */
  readonly cause: string
  /** As a detector said it; of ours a key of texts.ts with its values. */
  readonly said: string | { readonly text: string; readonly values: Readonly<Record<string, string | number>> }
  /** Of a freeze: nodes that are silent. */
  readonly nodes?: readonly string[]
  /** While any of these is not known of, neither is this. */
  readonly origins: readonly string[]
  readonly forMs: number
  readonly clearAfterMs: number
  /** Id of the event that it began with; empty when there is none. */
  readonly eventId: string
}

/** What all rules see at a moment. */
export interface Look {
  readonly bad: readonly Symptom[]
  /** Origins of which nothing can be said: what was held wrong there stays so, and nothing new is. */
  readonly neither: ReadonlySet<string>
}

/** What belongs together, whether it is told of already or not. */
export interface Cause {
  /** As `node/worker-7`, `finding/DiskAlmostFull`. */
  readonly key: string
  readonly kind: 'mesh' | 'frozen' | 'zone' | 'node' | 'finding' | 'measure'
  readonly reason: string
  /** Empty when it is of several or of none. */
  readonly node: string
  readonly zone: string
  readonly severity: Severity
  /** The cause itself; none where the children are all there is. */
  readonly root: Symptom | undefined
  readonly children: readonly Symptom[]
}

/** For whom words are written. */
export interface Reader {
  readonly language: Language
  /** In which times are written, by its IANA name. */
  readonly zone: string
}

/** What somebody was told last of an incident. */
export interface Told extends Reader {
  readonly at: number
  readonly severity: Severity
  /** Keys. */
  readonly children: readonly string[]
}

export interface Incident extends Cause {
  /** Unique for ever: `KEY#openedAt`. */
  readonly id: string
  /** Wall time, ms. */
  readonly openedAt: number
  /** It lasted long enough for what belongs to it to have come, and is on record. */
  readonly announced: boolean
  /** By sink. Only these hear that it is over. */
  readonly told: Readonly<Record<string, Told>>
  /** Ids of the silences by which nobody is told at present; none when somebody is. */
  readonly silencedBy: readonly string[]
}

/** What is to be said of an incident to a sink. */
export interface Notification extends Reader {
  readonly state: 'firing' | 'resolved' | 'test'
  /** `kept`: nothing is new, but the sink forgets what it is not told again. */
  readonly why: 'opened' | 'changed' | 'repeated' | 'kept' | 'over' | 'test'
  readonly mesh: string
  /** Of what belongs to it only what is for this sink. */
  readonly incident: Incident
  /** How many nodes belong to it beside those: others are told of them. */
  readonly elsewhere: number
  /** Wall time, ms. */
  readonly at: number
  /** It is not well again: it goes on as a part of this. */
  readonly partOf?: Cause
  /** Of the page; undefined when the configuration names none. */
  readonly link?: string
}

export interface Outgoing {
  readonly sink: string
  readonly notification: Notification
}
