/** A report as it is laid out, before it becomes a page or plain text: all its words chosen, nothing of it escaped. */
import type { Language } from '../../common/languages.ts'
import { UNPRINTABLE } from '../../common/unprintable.ts'

/** What colours a figure or a word; the word itself always says it too. */
export type Tone = 'error' | 'alarm' | 'warn' | 'fine' | 'unknown' | 'silent' | 'plain' | 'muted' | 'link'

export interface Cell {
  readonly text: string
  readonly tone: Tone
  /** Where it is told more of. */
  readonly link?: string
  /** Smaller, below: what changed. */
  readonly below?: string
}

/** A large figure at the top. */
export interface Figure {
  readonly name: string
  readonly value: Cell
}

/** One thing with its reason: a badge, whom it is about, why, one sentence, and more names, where it is about many. */
export interface Item {
  readonly badge?: Cell
  readonly lead: Cell
  readonly tag: string
  readonly text: string
  readonly names?: string
}

export type Block =
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: 'items'; readonly title: Cell; readonly items: readonly Item[] }
  | { readonly kind: 'note'; readonly cell: Cell; readonly rest?: string }

export interface Section {
  readonly title: string
  readonly blocks: readonly Block[]
}

export interface Layout {
  readonly language: Language
  readonly subject: string
  readonly title: string
  /** Below the title: whose, when. */
  readonly facts: readonly string[]
  readonly figures: readonly Figure[]
  readonly sections: readonly Section[]
  readonly footer: readonly Cell[]
}

/** What a node or a person wrote, on one line: nothing in it moves a cursor, ends a header or turns what is read around. */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim()
}

/** On one line, and no longer than that. */
export function short(text: string, charsMax: number): string {
  const chars = [...oneLine(text)]
  return chars.length <= charsMax ? chars.join('') : `${chars.slice(0, charsMax - 1).join('')}…`
}

export function plain(text: string): Cell {
  return { text, tone: 'plain' }
}

/** `link`: undefined for none. */
export function linked(text: string, tone: Tone, link: string | undefined): Cell {
  return link === undefined ? { text, tone } : { text, tone, link }
}

export function muted(text: string): Cell {
  return { text, tone: 'muted' }
}

const figures = new Intl.NumberFormat('en')

/** `1,832`, in both languages. */
export function figure(value: number): string {
  return figures.format(value)
}
