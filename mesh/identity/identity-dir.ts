/**
 * A node's identity on disk: `identity.key` (the raw seed, 0600), `cert`, `roster` and `boot-counter`. With these an agent
 * forms the mesh again with no aggregator, API server or DNS at hand.
 */
import { createPublicKey } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Incarnation, Roster } from '../core/model.ts'
import { type Enrolment, readCertificate } from './enrolment.ts'
import { type KeyPair, keyPairFromSeed, rawPublicKey, spkiOf } from './keys.ts'
import { readRoster } from './signed-roster.ts'

export interface StoredIdentity {
  readonly seed: Uint8Array
  readonly certificate: Uint8Array
  readonly roster: Uint8Array
}

export interface LoadedIdentity {
  readonly keys: KeyPair
  readonly certificate: Uint8Array
  readonly enrolment: Enrolment
  readonly caKey: Uint8Array
  readonly roster: Roster
  /** The same as it was signed, to hand on. */
  readonly rosterBytes: Uint8Array
  /** This life: the boot counter was moved on. */
  readonly incarnation: Incarnation
}

export function writeIdentity(stateDir: string, { seed, certificate, roster }: StoredIdentity): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  writeDurably(join(stateDir, 'identity.key'), seed)
  writeDurably(join(stateDir, 'cert'), certificate)
  writeDurably(join(stateDir, 'roster'), roster)
}

/** In an aggregator's state: the certificates of the agents that are enrolled, `NAME.cert`. */
export function enrolledFolder(stateDir: string): string {
  return join(stateDir, 'enrolled')
}

/** Tells an aggregator that this agent is enrolled. */
export function writeEnrolled(stateDir: string, node: string, certificate: Uint8Array): void {
  mkdirSync(enrolledFolder(stateDir), { recursive: true, mode: 0o700 })
  writeDurably(join(enrolledFolder(stateDir), `${node}.cert`), certificate)
}

/** Throws an Error naming the file that is missing or wrong. `caFile`: the CA's public key, PEM. */
export async function loadIdentity(stateDir: string, caFile: string, mesh: string): Promise<LoadedIdentity> {
  const keyFile = join(stateDir, 'identity.key')
  const seed = readNamed(keyFile)
  const certificate = readNamed(join(stateDir, 'cert'))
  const now = Date.now()
  const caKey = within(caFile, () => rawPublicKey(readFileSync(caFile)))
  const keys = await keyPairFromSeed(seed).catch((error: unknown) => {
    throw named(keyFile, error)
  })
  const enrolment = within(join(stateDir, 'cert'), () => readCertificate(certificate, caKey, mesh, now))
  const rosterFile = join(stateDir, 'roster')
  const rosterBytes = readNamed(rosterFile)
  const roster = within(rosterFile, () => readRoster(rosterBytes, caKey, mesh, now))
  if (enrolment.peerId !== keys.peerId) throw new Error(`${join(stateDir, 'cert')} was issued for another key`)
  const incarnation = { serial: enrolment.serial, boot: nextBoot(stateDir), refutations: 0 }
  return { keys, certificate, enrolment, caKey, roster, rosterBytes, incarnation }
}

/** Keeps a later roster: the next life starts from it. */
export function writeRoster(stateDir: string, bytes: Uint8Array): void {
  writeDurably(join(stateDir, 'roster'), bytes)
}

/** Where an aggregator keeps a roster by which a verdict was counted, for as long as there are verdicts to check. */
export function keptRoster(stateDir: string, hash: string): string {
  return join(stateDir, 'rosters', hash)
}

/** Keeps it, unless it is kept already. */
export function keepRoster(stateDir: string, hash: string, bytes: Uint8Array): void {
  const file = keptRoster(stateDir, hash)
  if (existsSync(file)) return
  mkdirSync(join(stateDir, 'rosters'), { recursive: true, mode: 0o700 })
  writeDurably(file, bytes)
}

/** The CA's public key as text, for `trust.ca`. */
export function publicKeyPem(publicKey: Uint8Array): string {
  return createPublicKey({ key: spkiOf(publicKey), format: 'der', type: 'spki' })
    .export({ format: 'pem', type: 'spki' })
    .toString()
}

/** Lives are told apart by this number, so it is on disk before the first message of a life. */
function nextBoot(stateDir: string): number {
  const file = join(stateDir, 'boot-counter')
  const boot = readCounter(file) + 1
  writeDurably(file, Buffer.from(`${boot}\n`))
  return boot
}

function readCounter(file: string): number {
  try {
    const text = readFileSync(file, 'utf8').trim()
    // Number('') is 0: a counter that was cut short would begin a life that others have long seen the end of.
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw new Error(`${file}: it holds no whole number`)
    return Number(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

function readNamed(file: string): Uint8Array {
  return within(file, () => new Uint8Array(readFileSync(file)))
}

function within<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw named(file, error)
  }
}

function named(file: string, error: unknown): Error {
  return new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

function writeDurably(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.tmp`
  const handle = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(handle, bytes)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, file)
}
