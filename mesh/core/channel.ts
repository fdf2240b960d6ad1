/**
 * The second channel: an observer whose edge is silent asks the host itself, past the agent. An answer of any kind
 * proves that the host lives; no answer proves something only on a path that is known to answer (calibrated) and while
 * this observer can still reach somebody else (control connect). That keeps a DROP firewall, a full conntrack table or
 * the observer's own cut cable from turning into a dead node.
 */
import type { ChannelResult, Millis } from './model.ts'
import type { Timing } from './timing.ts'

export type Port = 'agent' | 'kubelet'

/** What one port did: see docs/protocol.md section 3 for how each is told from the others. */
export type PortResult = 'userland' | 'mute' | 'refused' | 'nothing'

export interface HostAnswer {
  readonly ports: Readonly<Record<Port, PortResult>>
  /** Whether a connect to another live member succeeded at the same time; true when none was needed. */
  readonly control: boolean
}

/** Calibration of one observer's paths to one subject, and the last thing that subject's host answered. */
export class SecondChannel {
  readonly #timing: Timing
  readonly #answeredAt = new Map<Port, Millis>()
  #latest: { result: ChannelResult; at: Millis; controlFailed: boolean } | undefined
  #answeringSince: Millis | undefined

  constructor(timing: Timing) {
    this.#timing = timing
  }

  /** Takes in an answer. A port that answered is calibrated from now on. */
  heard(now: Millis, answer: HostAnswer): void {
    for (const port of ['agent', 'kubelet'] as const) {
      if (answer.ports[port] === 'userland') this.#answeredAt.set(port, now)
    }
    const result = this.#judge(now, answer)
    this.#latest = { result, at: now, controlFailed: !answer.control }
    this.#answeringSince = result === 'userland' || result === 'refused' ? (this.#answeringSince ?? now) : undefined
  }

  /** Since when the host has answered every time it was asked; undefined when it last did not. */
  get answeringSince(): Millis | undefined {
    return this.#answeringSince
  }

  /** The latest result not older than `since`; undefined when the host was not asked since. */
  resultSince(since: Millis): ChannelResult | undefined {
    return this.#latest !== undefined && this.#latest.at >= since ? this.#latest.result : undefined
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
    if (results.includes('mute')) return 'mute'
    return control && this.isCalibrated(now) ? 'nothing' : 'unknown'
  }
}
