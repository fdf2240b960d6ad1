/** Words for what the API names in a plain string: of a name that is new, or somebody's own, the name itself. */
import type { Text } from '../../../common/languages.ts'
import { MEMBER_STATE_WORDS } from '../../../common/words/member-states.ts'
import { SELECTOR_TEXTS } from './texts/policies.ts'
import { CHANNEL_TEXTS } from './texts/sights.ts'

export const verdictWord = (kind: string) => wordIn(MEMBER_STATE_WORDS, kind)
export const channelWord = (channel: string) => wordIn(CHANNEL_TEXTS, channel)
export const selectorWord = (kind: string) => wordIn(SELECTOR_TEXTS, kind)

function wordIn(words: Readonly<Record<string, Text>>, name: string): Text {
  const known = Object.hasOwn(words, name) ? words[name] : undefined
  return known ?? { en: name, zh: name }
}
