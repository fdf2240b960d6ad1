/** In which language a person reads: as chosen in this browser, else as the browser itself speaks. */
import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import { LANGUAGE_TAGS, LANGUAGES, type Language, say, type Text, type Values } from '../../../common/languages.ts'

const KEY = 'starling-language'

/** What everything on the page is told in. */
export const InLanguage = createContext<Language>('en')

export function useLanguage(): Language {
  return useContext(InLanguage)
}

/** A text in the language that is read here. */
export function useSay(): <T extends Text>(text: T, ...values: Values<T>) => string {
  const language = useLanguage()
  return (text, ...values) => say(text, language, ...values)
}

/** For the whole document, and how a person chooses another. */
export function useChosenLanguage(): [Language, (language: Language) => void] {
  const [language, setLanguage] = useState(chosen)
  useEffect(() => {
    document.documentElement.lang = LANGUAGE_TAGS[language]
  }, [language])
  function choose(language: Language): void {
    setLanguage(language)
    try {
      localStorage.setItem(KEY, language)
    } catch {
      // A browser that keeps nothing shows it for as long as the page is open.
    }
  }
  return [language, choose]
}

function chosen(): Language {
  try {
    const kept = localStorage.getItem(KEY)
    return LANGUAGES.find((language) => language === kept) ?? ownLanguage()
  } catch {
    return ownLanguage()
  }
}

function ownLanguage(): Language {
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** For dates: of the browser's own language its own kind, as British English. */
export function localeOf(language: Language): string {
  return language === ownLanguage() ? navigator.language : LANGUAGE_TAGS[language]
}
