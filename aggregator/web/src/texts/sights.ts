/** Who sees a node, and how. */
import type { Text } from '../../../../common/languages.ts'
import type { Sight, SightView } from '../../../model.ts'

export const SIGHT_TEXTS: Readonly<Record<Sight, Text>> = {
  hears: { en: 'hears it', zh: '有心跳' },
  'host-answers': { en: 'host answers', zh: '仅主机有响应' },
  silent: { en: 'misses it', zh: '无心跳' },
  nothing: { en: 'nothing answers', zh: '均无响应' },
  abstains: { en: 'abstains', zh: '弃权' },
  unknown: { en: 'says nothing', zh: '未表态' },
}

/** What the host itself answered an observer. */
export const CHANNEL_TEXTS = {
  userland: { en: 'userland', zh: '程序有响应' },
  mute: { en: 'mute', zh: '内核有响应，程序无响应' },
  refused: { en: 'refused', zh: '拒绝连接' },
  lossy: { en: 'lossy', zh: '丢包严重' },
  nothing: { en: 'nothing', zh: '无响应' },
  unknown: { en: 'unknown', zh: '未知' },
} as const satisfies Record<string, Text>

export const FROM_TEXTS: Readonly<Record<SightView['from'], Text>> = {
  'roll-call': { en: 'roll-call, {age} ago', zh: '点名，{age}前' },
  statement: { en: 'statement, {age} ago', zh: '声明，{age}前' },
  watching: { en: 'watches it, for {age}', zh: '持续观察 {age}' },
  none: { en: '-', zh: '-' },
}

export const WHO_SEES_TEXTS = {
  heard: {
    en: '{node} is heard by {heard} of its {of} {of|observer|observers}',
    zh: '{node} 的 {of} 个观察者中 {heard} 个收到其心跳',
  },
  observer: { en: 'Observer', zh: '观察者' },
  zone: { en: 'Zone', zh: '可用区' },
  sees: { en: 'Sees', zh: '所见' },
  from: { en: 'Known from', zh: '依据' },
  seconds: { en: '{count} s', zh: '{count} 秒' },
  minutes: { en: '{count} min', zh: '{count} 分钟' },
} as const satisfies Record<string, Text>
