/** A detector over files of metrics that something else writes, as for node-exporter's textfile collector. */
import { z } from 'zod'
import { durationMs, formatDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { type Detector, defineDetector, type Host, NotApplicable } from '../contract.ts'
import { parseTextfile, requireEnded } from './dialects/textfile.ts'
import { judgeResults } from './judge-results.ts'
import type { TextfileManifest } from './schema.ts'

const FILES_MAX = 256

export function metricFileDetector(manifest: TextfileManifest, file: string): Detector {
  const { name, version, summary, every, timeout, reasons, rules, maxAge, touches } = manifest
  return defineDetector({
    name,
    version,
    summary,
    every,
    timeout,
    needs: [],
    touches: { paths: [file, ...(touches?.paths ?? [])] },
    options: z.strictObject({}),
    reasons,
    async sample(host, _options, signal) {
      signal.throwIfAborted()
      const paths = await pathsOf(host, file)
      if (paths.length === 0) throw new NotApplicable(`there is no ${file}`)
      const texts: string[] = []
      for (const path of paths.slice(0, FILES_MAX)) {
        signal.throwIfAborted()
        const ageMs = await host.age(path)
        if (ageMs > durationMs(maxAge)) throw new Error(`${path} was last written ${formatDuration(ageMs)} ago`)
        const text = await host.readText(path)
        texts.push(ended(path, text))
      }
      try {
        return parseTextfile(texts.join(''), rules)
      } catch (error) {
        throw new Error(`${file}: ${messageOf(error)}`)
      }
    },
    judge: (results) => judgeResults(reasons, {}, results),
  }) as Detector
}

function ended(path: string, text: string): string {
  try {
    requireEnded(text)
    return text
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`)
  }
}

/** The file itself, or with a `*` in its name all files of its folder with such a name, in order. */
async function pathsOf(host: Host, file: string): Promise<readonly string[]> {
  const slash = file.lastIndexOf('/')
  const name = file.slice(slash + 1)
  if (!name.includes('*')) return (await host.exists(file)) ? [file] : []
  const folder = file.slice(0, slash) || '/'
  const parts = name.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  const pattern = new RegExp(`^${parts.join('[^/]*')}$`)
  const names = (await host.list(folder)).filter((each) => pattern.test(each))
  return names.toSorted().map((each) => `${file.slice(0, slash)}/${each}`)
}
