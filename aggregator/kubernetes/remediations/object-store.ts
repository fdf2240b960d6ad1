/** Where the objects are, as the desk needs it. */
import type { RemediationObject } from './rules/object.ts'
import type { Write } from './rules/writes.ts'

export interface ObjectStore {
  /** Undefined before all have been listed, and where this kind of object is not installed. */
  readonly objects: ReadonlyMap<string, RemediationObject> | undefined
  /** Listed from etcd and followed from there, until it is told to stop. `changed`: any object, by anybody. */
  start(changed: () => void): void
  stop(): void
  /** Of an object that is there: only the version that is known is written over. Throws ApiError. */
  write(write: Write): Promise<void>
}
