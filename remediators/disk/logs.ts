/** Logs that nobody writes to any more, and those of containers that Docker writes to for ever. */
import { StalePlan } from '../contract.ts'
import type { Cleaner, Waste } from './cleaner.ts'
import { fileAt, filesBelow, mebibytes, powerOfMebibytes } from './files.ts'

const LOGS = '/var/log'
/** As logrotate(8) names them. */
const ROTATED = /^\/var\/log\/.+\.(gz|xz|bz2|zst|\d{1,2})$/
/** The journal has its own line; the kubelet looks after the logs of pods; audit logs are kept by law more often than not. */
const OF_OTHERS = /^\/var\/log\/(journal|pods|containers|audit)\//
const CONTAINERS = '/var/lib/docker/containers'
const CONTAINER_LOG = /^\/var\/lib\/docker\/containers\/[0-9a-f]{64}\/[0-9a-f]{64}-json\.log$/

/** Of `writes` of the remediator: nothing else is removed or emptied. */
export const WRITES = ['/var/log/**', `${CONTAINERS}/*/*-json.log`]

const ROTATED_MAX = 20
const EMPTIED_MAX = 10

export const rotatedLogs: Cleaner = {
  verb: 'remove the log ',

  async find(host, { mountPoint, device }, { rotatedLogDays }, signal) {
    // A disk that is mounted within is not looked into from above.
    const places = mountPoint.startsWith(`${LOGS}/`) ? [mountPoint] : [LOGS]
    const files = await filesBelow(host, places, rotatedLogDays, signal)
    return files
      .filter((file) => file.device === device && isRotated(file.path) && file.bytes > 0)
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, ROTATED_MAX)
      .map(({ path, bytes, identity }) => ({
        what: `${this.verb}${path}`,
        before: identity,
        after: `removed, frees ${mebibytes(bytes)}`,
      }))
  },

  async isPending(host, { device }, waste, signal) {
    const path = pathOf(this.verb, waste)
    if (!isRotated(path)) throw new Error(`${path} is no rotated log`)
    const file = await fileAt(host, path, signal)
    if (file === undefined) return false
    if (file.device !== device) throw new StalePlan(`${path} is not on the disk that is full`)
    if (file.identity === waste.before) return true
    throw new StalePlan(`${path} has ${file.identity}, and the plan was made for ${waste.before}`)
  },

  async free({ replaceFile }, waste) {
    await replaceFile(pathOf(this.verb, waste), null)
  },
}

export const containerLogs: Cleaner = {
  verb: 'empty the log ',

  async find(host, { device }, { containerLogMiB }, signal) {
    const files = await filesBelow(host, [CONTAINERS], 0, signal)
    return files
      .filter(({ path, bytes, ...file }) => {
        const isLarge = powerOfMebibytes(bytes) > 0 && bytes >= containerLogMiB * 1024 * 1024
        return isLarge && file.device === device && CONTAINER_LOG.test(path)
      })
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, EMPTIED_MAX)
      .map(({ path, bytes }) => ({
        what: `${this.verb}${path}`,
        before: `${powerOfMebibytes(bytes)} MiB or more`,
        after: `emptied, frees ${powerOfMebibytes(bytes)} MiB or more`,
      }))
  },

  async isPending(host, { device }, waste, signal) {
    const path = pathOf(this.verb, waste)
    if (!CONTAINER_LOG.test(path)) throw new Error(`${path} is no log of a container`)
    const file = await fileAt(host, path, signal)
    if (file === undefined) return false
    if (file.device !== device) throw new StalePlan(`${path} is not on the disk that is full`)
    // A smaller one was emptied since, and has begun to grow again.
    return powerOfMebibytes(file.bytes) >= Number.parseInt(waste.before, 10)
  },

  async free({ truncate }, waste) {
    await truncate(pathOf(this.verb, waste))
  },
}

function isRotated(path: string): boolean {
  return ROTATED.test(path) && !OF_OTHERS.test(path) && !path.includes('/../')
}

function pathOf(verb: string, { what }: Waste): string {
  return what.slice(verb.length)
}
