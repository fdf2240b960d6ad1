/** `starling plugin record`: one look of a detector at a real host, kept as a recorded host. */
import { existsSync, readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { readYamlFile } from '../../common/yaml-file.ts'
import type { Detector } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { recordingHost } from '../../detectors/testing/recording-host.ts'
import { redactor } from '../../detectors/testing/redact.ts'
import { type Look, lookOnce } from '../detectors/look.ts'
import { type Written, writeRecording } from './recording-folder.ts'

/** What every recorded host is called. */
const NODE = 'node-7'

export interface RecordInit {
  readonly detector: Detector
  readonly options: unknown
  /** Of the host that is looked at. */
  readonly root: string
  readonly out: string
}

/** Throws where `out` holds something already, or more than 8 MiB would be recorded. */
export async function record({ detector, options, root, out }: RecordInit): Promise<Written & { readonly look: Look }> {
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new StarlingError(`${out} is not empty`, { remedy: 'give another --out' })
  const { host, recording } = recordingHost(createHost({ node: hostname(), root, peerOffsets: () => [] }))
  const look = await lookOnce(detector, host, options)
  const missing = await host.missing(detector.needs)
  const written = writeRecording(out, recording, { node: NODE, missing }, redactor([hostname()], NODE))
  return { ...written, look }
}

const configOfNode = z.looseObject({ host: z.looseObject({ root: z.string() }) })

/**
 * Where the host of `node` of the local mesh in `dir` is: its agent looks at a root on this machine. Throws a UsageError for any
 * other node, with how to record there.
 */
export function rootOf(node: string, dir: string): string {
  const file = join(dir, node, 'config.yaml')
  if (/^[a-z0-9-]+$/.test(node) && existsSync(file)) {
    const parsed = configOfNode.safeParse(readYamlFile(file).value)
    if (parsed.success) return parsed.data.host.root
  }
  throw new UsageError(
    `${node} is no node of a local mesh in ${dir}`,
    `run there: starling plugin record NAME --here --out FOLDER, and fetch the folder`,
  )
}
