/** The log of a process: one line per decision on stderr, as JSON for machines or as text for people. */
import pino from 'pino'
import pretty from 'pino-pretty'
import type { LogConfig } from './config-parts.ts'

export type { Logger } from 'pino'

export interface LogOptions extends LogConfig {
  /** The part of us that speaks: `agent`, `aggregator`, `up`. */
  readonly component: string
  /** The node that it speaks for. */
  readonly node: string
  /** Where lines go instead of stderr. */
  readonly stream?: pino.DestinationStream
}

/**
 * Lines carry `time` (RFC 3339, UTC), `level` (a word), `node`, `component` and `msg`, then the fields of the call.
 * An Error is logged as `err`. Lines are written at once: none is lost when the process is killed.
 */
export function createLog(options: LogOptions): pino.Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: { node: options.node, component: options.component },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }
  return pino(settings, options.format === 'pretty' ? prettyStream(options.stream) : (options.stream ?? stderrStream()))
}

/** pino-pretty as a stream in this thread: as a transport it would be a worker that outlives a crash by losing lines. */
function prettyStream(stream: pino.DestinationStream | undefined): pino.DestinationStream {
  return pretty({
    destination: stream ?? 2,
    sync: true,
    colorize: stream === undefined && process.stderr.isTTY === true && !process.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{component} {node}: {msg}',
    ignore: 'component,node',
  })
}

function stderrStream(): pino.DestinationStream {
  return pino.destination({ fd: 2, sync: true })
}
