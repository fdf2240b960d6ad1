/**
 * The second channel: an observer whose edge is silent asks the host itself, past the agent. An answer of any kind
 * proves that the host lives; no answer proves something only on a path that is known to answer (calibrated) and while
 * this observer can still reach somebody else (control connect). That keeps a DROP firewall, a full conntrack table or
 * the observer's own cut cable from turning into a dead node.
 */
import type { ChannelResult, Member, Millis } from './model.ts'
import type { Timing } from './timing.ts'

export type Port = 'agent' | 'kubelet'

/**
 * What one port did; `late`: nothing yet when the other had proved that a program runs there. See docs/protocol.md section 3
 * for how the rest are told from each other.
 */
export type PortResult = 'userland' | 'lossy' | 'mute' | 'refused' | 'nothing' | 'late'

/**
 * A port that accepts only after so many connects, and behind which nobody then answers: packets are lost on the way. A
 * hung host's kernel answers the first. Not two, so that a moment's delay here is no loss there.
 */
export const LOSSY_FROM_CONNECTS = 3

export interface HostListener {
  /** A port has accepted a connect: the kernel lives. Whether a program does is seen up to two seconds later. */
  accepted(): void
  /** Once, at the end. */
  answered(answer: HostAnswer): void
}

export interface HostAnswer {
  readonly ports: Readonly<Record<Port, PortResult>>
  /** Whether a connect to one of the controls succeeded at the same time; false when there was none to connect to. */
  readonly control: boolean
}

/** The port through which a host is asked: on sockets in mesh/libp2p, in the simulator on its stage. */
export interface HostChannel {
  /**
   * Asks a member's host itself. `controls`: other live members to connect to at the same time. Answers
   * once, never before this call has returned and 3.2 s later at the latest, and does not fail: whatever goes wrong shows in
   * the answer.
   */
  ask(subject: Member, controls: readonly Member[], listener: HostListener): void
}

/** Calibration of one observer's paths to one subject, and the last thing that subject's host answered. */
export class SecondChannel {
  readonly #timing: Timing
  readonly #answeredAt = new Map<Port, Millis>()
  #latest: { result: ChannelResult; askedAt: Millis; controlFailed: boolean } | undefined
  #answeringSince: Millis | undefined
  #nothingSince: Millis | undefined
  #heardAt = Number.NEGATIVE_INFINITY
  #gotThroughAt = Number.NEGATIVE_INFINITY

  constructor(timing: Timing) {
    this.#timing = timing
  }

  /**
   * Takes in an answer. A port that answered is calibrated from now on; one that does not although the subject is well
   * (`isWell`) is a path that swallows everything, and its silence proves nothing any more.
   */
  heard(now: Millis, askedAt: Millis, answer: HostAnswer, isWell: boolean): void {
    for (const port of ['agent', 'kubelet'] as const) {
      if (answer.ports[port] === 'userland') this.#answeredAt.set(port, now)
      if (answer.ports[port] === 'nothing' && isWell) this.#answeredAt.delete(port)
    }
    this.#heardAt = now
    if (Object.values(answer.ports).some((port) => port !== 'nothing')) this.#gotThroughAt = now
    const result = this.#judge(now, answer)
    const isSilent = result === 'nothing' || result === 'unknown'
    this.#latest = { result, askedAt, controlFailed: isSilent && !answer.control }
    this.#nothingSince = result === 'nothing' ? (this.#nothingSince ?? askedAt) : undefined
    this.#answeringSince = result === 'userland' || result === 'refused' ? (this.#answeringSince ?? now) : undefined
  }

  /** When a connect to one of the ports was last answered in any way. */
  get gotThroughAt(): Millis {
    return this.#gotThroughAt
  }

  /** When the latest answer came, or its absence was certain. */
  get heardAt(): Millis {
    return this.#heardAt
  }

  /** Since when nothing came from the host, every time it was asked; undefined when it last answered. */
  get nothingSince(): Millis | undefined {
    return this.#nothingSince
  }

  /** Since when the host has answered every time it was asked; undefined when it last did not. */
  get answeringSince(): Millis | undefined {
    return this.#answeringSince
  }

  /** The latest result, if it was asked for at `since` or later: what was asked before a doubt does not settle it. */
  resultSince(since: Millis): ChannelResult | undefined {
    return this.#latest !== undefined && this.#latest.askedAt >= since ? this.#latest.result : undefined
  }

  /** Whether the last control connect failed: then the fault is here, not there. */
  get controlFailed(): boolean {
    return this.#latest?.controlFailed ?? false
  }

  /** Whether silence on one of the paths would prove something. */
  isCalibrated(now: Millis): boolean {
    return this.#calibrated(now, 'agent') || this.#calibrated(now, 'kubelet')
  }

  #calibrated(now: Millis, port: Port): boolean {
    const at = this.#answeredAt.get(port)
    return at !== undefined && now - at <= this.#timing.calibratedForMs
  }

  #judge(now: Millis, { ports, control }: HostAnswer): ChannelResult {
    const results = Object.values(ports)
    if (results.includes('userland')) return 'userland'
    // Both a RST and a SYN-ACK come from a living kernel. RST outranks mute: it says that a process is gone, not hung.
    if (results.includes('refused')) return 'refused'
    if (results.includes('lossy')) return 'lossy'
    if (results.includes('mute')) return 'mute'
    return control && this.isCalibrated(now) ? 'nothing' : 'unknown'
  }
}
