/** What etcd says of a member over gRPC (StatusResponse of etcdserverpb, etcd 3.4 and later). It asks no other member. */
import { readMessage } from './protobuf.ts'

export interface EtcdStatus {
  /** Of the log: its last entry, and the last one applied to the database. */
  readonly index: number
  readonly applied: number
  readonly isLearner: boolean
  /** Alarms of any member: NOSPACE, CORRUPT. */
  readonly alarms: readonly string[]
}

/** Throws an Error when it is no such message. */
export function etcdStatusOf(bytes: Uint8Array): EtcdStatus {
  const status = { index: 0, applied: 0, isLearner: false }
  const alarms = new Set<string>()
  let hasHeader = false
  readMessage("etcd's status", bytes, {
    1: (value) => {
      value.bytes()
      hasHeader = true
    },
    5: (value) => {
      status.index = value.uint64Number()
    },
    7: (value) => {
      status.applied = value.uint64Number()
    },
    8: (value) => {
      // Such as `memberID:10501334649042878790 alarm:NOSPACE `; others say that there is no leader.
      const alarm = /\balarm:([A-Z]{1,30})/.exec(value.string())?.[1]
      if (alarm !== undefined) alarms.add(alarm)
    },
    10: (value) => {
      status.isLearner = value.bool()
    },
  })
  if (!hasHeader) throw new Error("etcd's status says nothing")
  return { ...status, alarms: [...alarms] }
}
