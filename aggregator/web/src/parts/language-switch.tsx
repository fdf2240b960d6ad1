import { LANGUAGE_TAGS, LANGUAGES, type Language } from '../../../../common/languages.ts'
import { useLanguage, useSay } from '../language.ts'
import { FRAME_TEXTS } from '../texts/frame.ts'

/** Each by its own name, so that it is found by who reads no other. */
const NAMES: Readonly<Record<Language, string>> = { en: 'English', zh: '中文' }

export function LanguageSwitch({ onChoose }: { onChoose: (language: Language) => void }) {
  const language = useLanguage()
  const say = useSay()
  return (
    <fieldset class="switch">
      <legend class="unseen">{say(FRAME_TEXTS.language)}</legend>
      {LANGUAGES.map((each) => (
        <button
          key={each}
          type="button"
          lang={LANGUAGE_TAGS[each]}
          aria-pressed={each === language}
          onClick={() => onChoose(each)}
        >
          {NAMES[each]}
        </button>
      ))}
    </fieldset>
  )
}
