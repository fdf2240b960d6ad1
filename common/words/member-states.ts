/**
 * What a node is to the mesh, and what may be wrong with its links. The names of verdicts stand in events, in Kubernetes and in
 * alerts; so they stay, with the Chinese before them.
 */
import type { Text } from '../languages.ts'

export const MEMBER_STATE_WORDS = {
  alive: { en: 'alive', zh: '存活' },
  suspected: { en: 'suspected', zh: '疑似失联' },
  NodeDown: { en: 'NodeDown', zh: '宕机 NodeDown' },
  HostHung: { en: 'HostHung', zh: '夯死 HostHung' },
  Isolated: { en: 'Isolated', zh: '网络隔离 Isolated' },
  AgentDown: { en: 'AgentDown', zh: '代理停止 AgentDown' },
  left: { en: 'left', zh: '已离开' },
  unseen: { en: 'unseen', zh: '尚未上线' },
} as const satisfies Record<string, Text>

export const MEMBER_FLAG_WORDS = {
  LinkFault: { en: 'LinkFault', zh: '链路故障 LinkFault' },
  ObserverFault: { en: 'ObserverFault', zh: '观察者异常 ObserverFault' },
} as const satisfies Record<string, Text>
