/**
 * Images of the container runtime that no container here was made of, once the disk is so full that the kubelet itself would
 * remove them. The others stay: those of static pods, pinned ones and the sandbox's.
 */
import { z } from 'zod'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { StalePlan } from '../contract.ts'
import type { Cleaner, FullDisk } from './cleaner.ts'
import { deviceOf, mebibytes } from './files.ts'

export const CRICTL = ['/usr/bin/crictl', '/usr/local/bin/crictl'] as const
export const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml'
export const STATIC_PODS = '/etc/kubernetes/manifests'
/** Of KubeletConfiguration, its default. */
const HIGH_PERCENT = 85
const IMAGES_MAX = 20
const BYTES_MAX = 4 * 1024 * 1024

const imageList = z.object({
  images: z
    .array(
      z.object({
        id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
        repoTags: z.array(z.string()).nullish(),
        repoDigests: z.array(z.string()).nullish(),
        size: z.coerce.number().nonnegative(),
        pinned: z.boolean().nullish(),
      }),
    )
    .nullish(),
})
const containerList = z.object({
  containers: z
    .array(z.object({ imageRef: z.string(), imageId: z.string().nullish(), image: z.object({ image: z.string() }) }))
    .nullish(),
})
const filesystemInfo = z.object({
  status: z.object({ imageFilesystems: z.array(z.object({ fsId: z.object({ mountpoint: z.string() }) })).min(1) }),
})

interface Image {
  readonly id: string
  readonly name: string
  readonly bytes: number
}

export const images: Cleaner = {
  verb: 'remove the image ',

  async find(host, disk, { images: isWanted }, signal) {
    if (!isWanted || !(await isOverKubeletsOwn(host, disk))) return []
    const crictl = await crictlOf(host)
    if (crictl === undefined || !(await areImagesOn(host, disk, crictl, signal))) return []
    return (await unused(host, crictl, signal))
      .toSorted((a, b) => b.bytes - a.bytes)
      .slice(0, IMAGES_MAX)
      .map(({ id, name, bytes }) => ({
        what: `${this.verb}${id} ${name}`,
        before: 'there, and of no container',
        after: `removed, frees up to ${mebibytes(bytes)}`,
      }))
  },

  async isPending(host, _disk, { what }, signal) {
    const id = idOf(this.verb, what)
    const crictl = await crictlOf(host)
    if (crictl === undefined) throw new Error('crictl is not here any more')
    const { images: all } = await ask(host, [crictl, 'images', '-o', 'json'], imageList, signal)
    if (!all?.some((image) => image.id === id)) return false
    if ((await unused(host, crictl, signal)).some((image) => image.id === id)) return true
    throw new StalePlan(`the image ${id} is in use by now`)
  },

  async free({ host }, { what }, signal) {
    const crictl = await crictlOf(host)
    if (crictl === undefined) throw new Error('crictl is not here any more')
    const { code, stderr } = await host.run([crictl, 'rmi', idOf(this.verb, what)], { signal })
    if (code !== 0) throw new Error(`crictl rmi failed (${code ?? 'killed'}): ${stderr.trim().slice(0, 200)}`)
  },
}

/** By the kubelet's own threshold and its own way to count: what is not available counts as used. */
async function isOverKubeletsOwn(host: Host, { mountPoint }: FullDisk): Promise<boolean> {
  const set = /^imageGCHighThresholdPercent:\s*(\d+)\s*$/m.exec(await textOrNothing(host, KUBELET_CONFIG))?.[1]
  const { bytes, bytesAvailable } = await host.filesystem(mountPoint)
  return 100 - (bytesAvailable * 100) / bytes >= (set === undefined ? HIGH_PERCENT : Number(set))
}

async function crictlOf(host: Host): Promise<string | undefined> {
  for (const program of CRICTL) if (await host.exists(program)) return program
  return undefined
}

async function areImagesOn(host: Host, { device }: FullDisk, crictl: string, signal: AbortSignal): Promise<boolean> {
  const { status } = await ask(host, [crictl, 'imagefsinfo', '-o', 'json'], filesystemInfo, signal)
  for (const { fsId } of status.imageFilesystems) {
    if ((await deviceOf(host, fsId.mountpoint, signal)) === device) return true
  }
  return false
}

async function unused(host: Host, crictl: string, signal: AbortSignal): Promise<readonly Image[]> {
  // First, so that one which comes to be used meanwhile is at worst seen as not there.
  const { images: all } = await ask(host, [crictl, 'images', '-o', 'json'], imageList, signal)
  const { containers } = await ask(host, [crictl, 'ps', '-a', '-o', 'json'], containerList, signal)
  const used = new Set((containers ?? []).flatMap((one) => [one.imageRef, one.imageId ?? '', one.image.image]))
  const wanted = await staticPods(host)
  return (all ?? []).flatMap(({ id, repoTags, repoDigests, size, pinned }) => {
    const names = [...(repoTags ?? []), ...(repoDigests ?? [])]
    const isUsed = [id, ...names].some((name) => used.has(name))
    const isSandbox = names.some((name) => /(^|\/)pause[:@]/.test(name))
    // By the last part of its name: a manifest may leave the registry out.
    const isWanted = names.some((name) => wanted.includes(name.slice(name.lastIndexOf('/') + 1)))
    if (pinned === true || isUsed || isSandbox || isWanted) return []
    const name = (names[0] ?? 'without a name').replace(/[^\x21-\x7e]/g, '?').slice(0, 200)
    return [{ id, name, bytes: size }]
  })
}

/** All that the manifests say. Throws an Error where they are elsewhere: then none of their images could be known. */
async function staticPods(host: Host): Promise<string> {
  const folder = /^staticPodPath:\s*"?([^"\s]+)"?\s*$/m.exec(await textOrNothing(host, KUBELET_CONFIG))?.[1]
  if (folder !== undefined && folder.replace(/\/$/, '') !== STATIC_PODS) {
    throw new Error(
      `static pods are in ${folder.slice(0, 80)}, which is not looked at: no image can be known to be unused`,
    )
  }
  if (!(await host.exists(STATIC_PODS))) return ''
  const names = await host.list(STATIC_PODS)
  return (await Promise.all(names.map((name) => textOrNothing(host, `${STATIC_PODS}/${name}`)))).join('\n')
}

async function textOrNothing(host: Host, path: string): Promise<string> {
  return host.readText(path).catch((error: unknown) => {
    if (error instanceof NotApplicable) return ''
    throw error
  })
}

async function ask<T>(
  host: Host,
  [program, ...args]: readonly [string, ...string[]],
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const { code, stdout, stderr } = await host.run([program, ...args], { signal, bytesMax: BYTES_MAX })
  if (code !== 0) throw new Error(`crictl ${args[0]} failed (${code ?? 'killed'}): ${stderr.trim().slice(0, 200)}`)
  try {
    return schema.parse(JSON.parse(stdout))
  } catch (error) {
    throw new Error(`crictl ${args[0]} did not answer what it should`, { cause: error })
  }
}

function idOf(verb: string, what: string): string {
  return what.slice(verb.length).split(' ')[0] ?? ''
}
