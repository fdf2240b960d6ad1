/** A detector that runs a program and takes its answer in one of the dialects. */
import { z } from 'zod'
import { durationMs } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { type Command, type Detector, defineDetector, type RunLimits } from '../contract.ts'
import { parseJson } from './dialects/json.ts'
import { parseNagios } from './dialects/nagios.ts'
import { parseNpd } from './dialects/npd.ts'
import { parseTextfile, requireEnded } from './dialects/textfile.ts'
import { judgeResults, statesOf } from './judge-results.ts'
import { complaint, type PluginOutput, type PluginResult, requireWhole } from './result.ts'
import type { ProgramManifest } from './schema.ts'

export function programDetector(manifest: ProgramManifest): Detector {
  const { name, version, summary, every, timeout, reasons, caps, touches } = manifest
  const [program, ...args] = manifest.command
  const states = statesOf(manifest)
  const limits = limitsOf(manifest)
  return defineDetector({
    name,
    version,
    summary,
    every,
    timeout,
    needs: [],
    touches: { paths: touches.paths, commands: [program, ...touches.commands], services: touches.peers },
    options: z.strictObject({
      args: z
        .array(z.string().max(4_096))
        .max(255)
        .default(args)
        .describe('Arguments of the program, in place of those of the manifest.'),
    }),
    reasons,
    async sample(host, options, signal) {
      const command: Command = [program, ...options.args]
      const output = await host.run(command, { signal, bytesMax: caps.output, limits })
      try {
        return parseOutput(manifest, output)
      } catch (error) {
        throw new Error(`${program}: ${messageOf(error)}`)
      }
    },
    judge: (results) => judgeResults(reasons, states, results),
  }) as Detector
}

function parseOutput(manifest: ProgramManifest, output: PluginOutput): readonly PluginResult[] {
  switch (manifest.dialect) {
    case 'npd':
      return parseNpd(output)
    case 'nagios':
      return parseNagios(output)
    case 'json':
      return parseJson(output)
    case 'textfile':
      if (requireWhole(output) !== 0) throw new Error(complaint(output))
      requireEnded(output.stdout)
      return parseTextfile(output.stdout, manifest.rules)
  }
}

export function limitsOf({ caps, user, network }: Pick<ProgramManifest, 'caps' | 'user' | 'network'>): RunLimits {
  return {
    memoryBytes: caps.memory,
    cpuSeconds: Math.ceil(durationMs(caps.cpu) / 1_000),
    fileBytes: caps.writes,
    asNobody: user === 'nobody',
    withoutNetwork: network === 'none',
  }
}
