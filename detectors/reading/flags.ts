/** Flags on the command line of a program that is written in Go. */

/** The value of `--name=value` or `--name value`, the last one as the program takes it; undefined when it is not there. */
export function flagOf(words: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (const [index, word] of words.entries()) {
    const flag = /^--?([^=]+)(?:=(.*))?$/s.exec(word)
    if (flag?.[1] === name) value = flag[2] ?? words[index + 1]
  }
  return value
}
