/** In which language a person reads: as chosen in this browser, else as the browser itself speaks. */
import { useState } from 'preact/hooks'
import { LANGUAGES, type Language } from '../../../common/languages.ts'

const KEY = 'starling-language'

export function useLanguage(): [Language, (language: Language) => void] {
  const [language, setLanguage] = useState(chosen)
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
  const own = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
  try {
    const kept = localStorage.getItem(KEY)
    return LANGUAGES.find((language) => language === kept) ?? own
  } catch {
    return own
  }
}
