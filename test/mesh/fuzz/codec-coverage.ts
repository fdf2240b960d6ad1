/**
 * How much of the codec has run in this process: V8's block counts, for the functions of mesh/wire/codec.ts and
 * mesh/wire/schema.ts. It must start before these are loaded. Counts are read once: V8 loses some when they are reset.
 */
import { type Debugger, type Profiler, Session } from 'node:inspector'

const FILES = ['/mesh/wire/codec.ts', '/mesh/wire/schema.ts']
/** How vitest hands out what a module exports, and the module as a whole, which runs when it is loaded. */
const NOT_OURS = /^(\(\) => \{ try \{ return \w+ \} catch \{\} \}|'use strict'|async \(__vite)/

export class CodecCoverage {
  readonly #session = new Session()

  constructor() {
    this.#session.connect()
    this.#post('Profiler.enable')
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** The share of their functions' code that has run, in per cent. */
  stop(): number {
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType
    this.#post('Debugger.enable')
    const ours = result.filter(({ url }) => FILES.some((file) => url.endsWith(file)))
    const ranges = ours.flatMap((script) => this.#functionsOf(script))
    this.#session.disconnect()
    // The first range of a function is the whole of it; those within are blocks that ran another number of times.
    const size = sizeOf(ranges.flatMap((blocks) => blocks.slice(0, 1)))
    const missed = sizeOf(ranges.flatMap((blocks) => blocks.filter(({ count }) => count === 0)))
    return (100 * (size - missed)) / size
  }

  #functionsOf({ scriptId, functions }: Profiler.ScriptCoverage): readonly (readonly Profiler.CoverageRange[])[] {
    const { scriptSource } = this.#post('Debugger.getScriptSource', { scriptId }) as Debugger.GetScriptSourceReturnType
    return functions
      .map(({ ranges }) => ranges)
      .filter(([whole]) => !NOT_OURS.test(scriptSource.slice(whole?.startOffset, whole?.endOffset)))
  }

  /** Answers come before the call returns: this session is in its own process. */
  #post(method: string, params?: object): unknown {
    let answer: unknown
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }
}

function sizeOf(ranges: readonly Profiler.CoverageRange[]): number {
  return ranges.reduce((sum, { startOffset, endOffset }) => sum + endOffset - startOffset, 0)
}
