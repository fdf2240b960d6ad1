/** Reads one TypeScript file as far as the house rules care: what it imports and which names it uses. */
import { extname } from 'node:path'
import { parseSync } from 'vite'

export interface Import {
  readonly specifier: string
  /** It leaves nothing behind when the types are stripped. */
  readonly typeOnly: boolean
}

export interface Source {
  /** Path below the root of the repository, with forward slashes. */
  readonly file: string
  readonly imports: readonly Import[]
  /**
   * Files that are named relative to this one, by `new URL('./x.ts', import.meta.url)` or `join(import.meta.dirname,
   * 'x.ts')`: programs that are started rather than imported.
   */
  readonly started: readonly string[]
  /** Names that are used without being a key of something, such as `process`; and members, such as `Math.random`. */
  readonly names: ReadonlySet<string>
  /** What a person would read that stands in the markup itself, but for commands in `code`. */
  readonly words: readonly string[]
}

type Node = { readonly type: string; readonly [key: string]: unknown }

/** Throws a SyntaxError that names the file when `text` is no TypeScript. */
export function readSource(file: string, text: string): Source {
  const lang = extname(file) === '.tsx' ? 'tsx' : 'ts'
  const { program, errors } = parseSync(file, text, { lang })
  if (errors[0] !== undefined) throw new SyntaxError(`${file}: ${errors[0].message}`)
  const imports: Import[] = []
  const started: string[] = []
  const names = new Set<string>()
  const words: string[] = []
  walk(program as unknown as Node, null, '', (node, parent, key) => {
    const found = importOf(node)
    if (found !== null) imports.push(found)
    started.push(...startedFile(node))
    if (node.type === 'Identifier' && !isKey(parent, key)) names.add(String(node.name))
    if (node.type === 'MemberExpression') names.add(memberName(node))
    words.push(...wordsOf(node, parent))
  })
  return { file, imports, started, names, words }
}

function walk(
  node: Node,
  parent: Node | null,
  key: string,
  visit: (node: Node, parent: Node | null, key: string) => void,
): void {
  visit(node, parent, key)
  for (const [childKey, child] of Object.entries(node)) {
    for (const item of Array.isArray(child) ? child : [child]) {
      if (isNode(item)) walk(item, node, childKey, visit)
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function importOf(node: Node): Import | null {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      const specifier = textOf(node.source)
      if (specifier === null) return null
      return { specifier, typeOnly: node.importKind === 'type' || node.exportKind === 'type' || onlyTypes(node) }
    }
    case 'ImportExpression': {
      const specifier = textOf(node.source)
      return specifier === null ? null : { specifier, typeOnly: false }
    }
    case 'TSImportType': {
      const specifier = textOf(node.source) ?? textOf(node.argument)
      return specifier === null ? null : { specifier, typeOnly: true }
    }
    default:
      return null
  }
}

/** `import { type A, type B }`: not one value among the names. `import 'x'` has no names and runs x. */
function onlyTypes(node: Node): boolean {
  const specifiers = Array.isArray(node.specifiers) ? (node.specifiers as Node[]) : []
  return specifiers.length > 0 && specifiers.every((item) => item.importKind === 'type' || item.exportKind === 'type')
}

function startedFile(node: Node): string[] {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return []
  const [first, second, ...rest] = node.arguments as Node[]
  const file = textOf(first)
  if (file !== null && isOwnPlace(second, 'url')) return [file]
  const parts = [second, ...rest].map(textOf)
  return isOwnPlace(first, 'dirname') && !parts.includes(null) ? [parts.join('/')] : []
}

/** `import.meta.url` and the like. */
function isOwnPlace(node: Node | undefined, property: string): boolean {
  if (node?.type !== 'MemberExpression' || !isNode(node.object) || !isNode(node.property)) return false
  return node.object.type === 'MetaProperty' && node.property.name === property
}

/** `x` in `a.x`, `{ x: 1 }`, `{ x(): void }` and the like names a part of something, not the global `x`. */
function isKey(parent: Node | null, key: string): boolean {
  if (parent === null || parent.computed === true) return false
  if (parent.type === 'MemberExpression') return key === 'property'
  if (parent.type === 'ImportSpecifier' || parent.type === 'ExportSpecifier') return true
  return key === 'key'
}

/** `Math.random`, or just `.random` of something that is no plain name. */
function memberName(node: Node): string {
  const object = isNode(node.object) && node.object.type === 'Identifier' ? String(node.object.name) : ''
  const property = isNode(node.property) ? String(node.property.name ?? node.property.value ?? '') : ''
  return `${object}.${property}`
}

const READ_ATTRIBUTES = ['alt', 'aria-label', 'placeholder', 'title']

function wordsOf(node: Node, parent: Node | null): string[] {
  const said = node.type === 'JSXText' && !isCode(parent) ? String(node.value).trim() : readAttribute(node)
  return /\p{L}/u.test(said) ? [said] : []
}

function isCode(parent: Node | null): boolean {
  if (parent?.type !== 'JSXElement' || !isNode(parent.openingElement) || !isNode(parent.openingElement.name))
    return false
  return parent.openingElement.name.name === 'code'
}

/** `x` in `title="x"` and in the quasis of title={`x ${y}`}; empty for all else. */
function readAttribute(node: Node): string {
  if (node.type !== 'JSXAttribute' || !isNode(node.name) || !READ_ATTRIBUTES.includes(String(node.name.name))) return ''
  const value = isNode(node.value) && node.value.type === 'JSXExpressionContainer' ? node.value.expression : node.value
  if (!isNode(value) || value.type !== 'TemplateLiteral') return textOf(value) ?? ''
  return (value.quasis as { readonly value: { readonly raw: string } }[])
    .map((quasi) => quasi.value.raw)
    .join(' ')
    .trim()
}

function textOf(value: unknown): string | null {
  return isNode(value) && value.type === 'Literal' && typeof value.value === 'string' ? value.value : null
}
