/** The commands of a plan's `undo`, as a person can paste them into a shell. */

/** `text` as one word. */
export function shellWord(text: string): string {
  return /^[\w.:/,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
