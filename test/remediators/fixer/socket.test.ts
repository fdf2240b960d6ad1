/** Whatever comes over the socket, and whoever comes: the fixer goes on, and the host stays as it is. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../common/log.ts'
import { connectTo } from '../../../fixer/connection.ts'
import type { FixerHands } from '../../../fixer/hands.ts'
import { fixerHands } from '../../../fixer/hands.ts'
import { encodeRequest, FRAME_BYTES_MAX, FrameReader } from '../../../fixer/wire.ts'
import { describeReal, needsRoot } from '../../real-part.ts'
import { FixerStage, LIMIT_MS } from './stage.ts'

/** No user of a machine has it: the agent's in a pod. */
const UNPRIVILEGED = 65_534

let stage: FixerStage
let hands: FixerHands
let open: Socket[]
beforeEach(async () => {
  stage = await FixerStage.found()
  hands = await stage.start()
  open = []
})
afterEach(async () => {
  for (const socket of open) socket.destroy()
  await stage.tearDown()
})

async function connected(): Promise<Socket> {
  const socket = await connectTo(stage.socket)
  socket.on('error', () => {})
  open.push(socket)
  return socket
}

/** Until the fixer has hung up; what it said. */
async function hungUp(bytes: Uint8Array): Promise<Buffer> {
  const socket = await connected()
  const said: Buffer[] = []
  socket.on('data', (chunk: Buffer) => said.push(chunk))
  const closed = once(socket, 'close')
  socket.write(bytes)
  await closed
  return Buffer.concat(said)
}

const stillServes = async () => {
  const plan = stage.plan()
  await hands.apply(plan, await stage.permit(hands, plan), LIMIT_MS)
  expect(stage.swappiness).toBe('10')
}

const lengthOf = (length: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

describe('what is no request', () => {
  const hello = encodeRequest({ kind: 'hello', version: 1 })

  it.each<[string, () => Buffer]>([
    ['garbage of the right length', () => Buffer.concat([lengthOf(100), randomBytes(100)])],
    ['an empty frame', () => lengthOf(0)],
    ['a frame of 4 GiB', () => lengthOf(2 ** 32 - 1)],
    ['a frame that is one byte too long', () => lengthOf(FRAME_BYTES_MAX + 1)],
    ['two requests at once', () => Buffer.concat([hello, hello])],
    ['a number', () => Buffer.concat([lengthOf(1), Buffer.from([7])])],
    ['text of another protocol', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('is hung up on without a word: %s', async (_, bytes) => {
    expect(await hungUp(bytes())).toHaveLength(0)
    expect(stage.swappiness).toBe('60')
    await stillServes()
  })

  it('holds nobody up: half a frame, and a hundred that say nothing', async () => {
    const half = await connected()
    half.write(hello.subarray(0, 6))
    for (let index = 0; index < 100; index++) await connected()
    await stillServes()
  })

  it('is not waited for for ever', async () => {
    expect(await hungUp(hello.subarray(0, 6))).toHaveLength(0)
  })

  it('is a request when it comes in pieces', async () => {
    const socket = await connected()
    const reader = new FrameReader()
    const answered = new Promise<Uint8Array>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        const frame = reader.add(chunk)
        if (frame !== undefined) resolve(frame)
      })
    })
    for (const byte of hello) await new Promise((written) => socket.write(Buffer.from([byte]), written))
    expect((await answered).length).toBeGreaterThan(0)
  })
})

describe('a fixer that says strange things, or nothing', () => {
  /** Answers each connection with `bytes`, or only takes it. */
  async function standIn(bytes: Uint8Array | null): Promise<{ hands: FixerHands; close: () => Promise<unknown> }> {
    const path = join(stage.folder, 'strange.sock')
    const server = createServer((socket) => {
      open.push(socket)
      socket.on('error', () => {})
      if (bytes !== null) socket.once('data', () => socket.end(bytes))
    })
    await new Promise<void>((listening) => server.listen(path, listening))
    const close = () => {
      for (const socket of open) socket.destroy()
      return new Promise((closed) => server.close(closed))
    }
    return { hands: fixerHands(path), close }
  }

  it.each<[string, Buffer]>([
    ['garbage', Buffer.concat([lengthOf(100), randomBytes(100)])],
    ['too much', lengthOf(2 ** 31)],
    ['nothing', Buffer.alloc(0)],
  ])('leaves the agent with an unclear result: %s', async (_, bytes) => {
    const strange = await standIn(bytes)
    const deed = strange.hands.apply(stage.plan(), null, LIMIT_MS)
    await expect(deed).rejects.toMatchObject({ name: 'Unclear', message: expect.stringContaining('no answer') })
    await strange.close()
  })

  it('is waited for for as long as the fix may take', async () => {
    const silent = await standIn(null)
    await expect(silent.hands.apply(stage.plan(), null, 1)).rejects.toThrow('nothing whole came within')
    await silent.close()
  })

  it('is no fixer when nobody is there: then nothing was changed', async () => {
    const nobody = fixerHands(join(stage.folder, 'nobody.sock'))
    await expect(nobody.apply(stage.plan(), null, LIMIT_MS)).rejects.toMatchObject({ name: 'StalePlan' })
    await expect(nobody.challenge()).rejects.toThrow('no fixer answers')
    await expect(nobody.revert(stage.plan(), 1)).rejects.toThrow('no fixer answers')
  })
})

describe('the socket', () => {
  it('is for one user alone, and taken over from a fixer that was killed but not from one that runs', async () => {
    expect(statSync(stage.socket).mode & 0o777).toBe(0o600)
    await expect(stage.start()).rejects.toThrow('another fixer listens there')
    await stage.stop()
    writeFileSync(stage.socket, '')
    await stage.start()
    await stillServes()
  })

  it('leaves a line in the log for each decision, with plan and permit', async () => {
    const lines: { fields: object; message: string }[] = []
    const note = (fields: object, message: string) => void lines.push({ fields, message })
    const log: Log = { debug: note, info: note, warn: note, error: note }
    await stage.stop()
    await stage.start({}, log)
    const plan = stage.plan()
    const permit = await stage.permit(hands, plan)
    await hands.apply(plan, permit, LIMIT_MS)
    await hands.apply(plan, permit, LIMIT_MS).catch(() => {})
    await hands.revert(plan, LIMIT_MS)
    const about = { plan: plan.id, remediator: 'sysctl' }
    expect(lines.filter(({ message }) => message.startsWith('asked to'))).toEqual([
      { message: 'asked to apply', fields: { ...about, permit: permit.id, outcome: 'done' } },
      {
        message: 'asked to apply',
        fields: { ...about, outcome: 'refused', why: expect.stringContaining('nonce') },
      },
      { message: 'asked to revert', fields: { ...about, permit: permit.id, outcome: 'done' } },
    ])
  })
})

describeReal('the socket of another user', needsRoot(), () => {
  it('lets in its owner, and nobody else', async () => {
    await stage.stop()
    await stage.start({ socket: { path: stage.socket, owner: UNPRIVILEGED } })
    const script = `require('net').connect(${JSON.stringify(stage.socket)})
      .on('connect', () => { console.log('in'); process.exit() }).on('error', (e) => console.log(e.code))`
    const as = (uid: number) =>
      spawnSync(process.execPath, ['-e', script], { uid, gid: uid, encoding: 'utf8' }).stdout.trim()
    expect(as(UNPRIVILEGED)).toBe('in')
    expect(as(UNPRIVILEGED - 1)).toBe('EACCES')
  })
})
