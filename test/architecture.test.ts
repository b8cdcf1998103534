// Checks which modules may import which (imports always point down), and what no module of src/ may do. It parses the source, and does not run it.
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'))
  .sort()

// The levels of the design, lowest first: each file or folder, and what it may import. A folder stands for all that is in it.
const DESCRIBING = [
  'core/scheme.ts',
  'core/keys.ts',
  'core/errors.ts',
  'core/time.ts',
  'core/claims.ts',
  'core/conditions.ts',
  'core/verdict.ts',
]
const CORE = 'core/'
const MAY: Record<string, readonly string[]> = {
  'lib/': ['lib/'],
  'core/': [CORE, 'lib/'],
  'schemes/': [...DESCRIBING, 'schemes/shared/', 'lib/', 'npm:@noble/hashes/'],
  'schemes/shared/': [...DESCRIBING, 'core/crypto.ts', 'schemes/shared/', 'lib/', 'npm:@noble/hashes/'],
  'stores/': ['core/errors.ts', 'core/time.ts', 'type:core/redeem.ts', 'stores/', 'lib/'],
  'recognise/': ['recognise/', 'core/errors.ts', 'core/claims.ts', 'type:core/inspect.ts', 'lib/'],
  'explain/': ['explain/', 'recognise/', CORE, 'lib/'],
  'client/': ['client/', 'recognise/', ...DESCRIBING, 'lib/'],
  'media/': ['media/', CORE, 'lib/'],
  'post/': ['post/', CORE, 'lib/'],
  'http/': ['http/', CORE, 'lib/'],
  'http/node/': ['http/', CORE, 'lib/', 'node:'],
  'service/': ['service/', 'http/', CORE, 'lib/'],
  'njs/': ['njs/', 'schemes/hmac.ts', CORE, 'lib/', 'npm:crypto'],
  'cli/': ['cli/', 'service/', 'http/', 'client/', 'media/', 'recognise/', 'explain/', 'stores/', 'schemes/hmac.ts', CORE, 'lib/', 'node:'],
  // The doors.
  'index.ts': [CORE, 'schemes/hmac.ts', 'type:lib/'],
  'guard.ts': ['http/'],
  'all-of.ts': ['core/all-of.ts'],
  'service.ts': ['service/', 'http/'],
  'node.ts': ['http/node/'],
  'client.ts': ['client/'],
  'media.ts': ['media/'],
  'post-policy.ts': ['post/', 'type:core/scheme.ts'],
  'recognise.ts': ['recognise/'],
  'explain.ts': ['explain/'],
  'njs.ts': ['njs/'],
}

// Only these compute or compare signatures.
const MAY_IMPORT_CRYPTO = ['core/sign.ts', 'core/verify.ts', 'post/', 'schemes/shared/', 'explain/']

/** The rule for a file: that of the file itself, or of the innermost folder that has one. */
function ruleFor(name: string): readonly string[] | undefined {
  for (let place = name; place; place = place.replace(/[^/]*\/?$/, '')) {
    const rule = MAY[place]
    if (rule) return rule
  }
  return undefined
}

interface Import {
  /** `lib/text.ts`, `node:fs` or `npm:package`. */
  readonly target: string
  readonly typeOnly: boolean
}

const parse = (name: string, text: string) => ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true)
const each = (node: ts.Node, visit: (node: ts.Node) => void): void =>
  node.forEachChild((child) => {
    visit(child)
    each(child, visit)
  })

/** Everything that a file imports, also by `export … from`, `import()` and `import('…').Type`. */
function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (!specifier) return
    const text = ts.isStringLiteralLike(specifier) ? specifier.text : specifier.getText()
    if (!ts.isStringLiteralLike(specifier)) return // an address that is made at run time
    const target = text.startsWith('.') ? posix.join(posix.dirname(source.fileName), text) : text.startsWith('node:') ? text : `npm:${text}`
    found.push({ target, typeOnly })
  }
  each(source, (node) => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause
      const named = clause?.namedBindings
      const types =
        named &&
        ts.isNamedImports(named) &&
        !clause.name &&
        named.elements.length > 0 &&
        named.elements.every(({ isTypeOnly }) => isTypeOnly)
      add(node.moduleSpecifier, clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || types === true)
    } else if (ts.isExportDeclaration(node)) {
      const clause = node.exportClause
      const types =
        clause && ts.isNamedExports(clause) && clause.elements.length > 0 && clause.elements.every(({ isTypeOnly }) => isTypeOnly)
      add(node.moduleSpecifier, node.isTypeOnly || types === true)
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    } else if (ts.isCallExpression(node) && node.expression.getText() === 'require') {
      add(node.arguments[0], false)
    }
  })
  return found
}

/** The imports that point sideways or up. */
function wrongImports(name: string, imports: readonly Import[]): string[] {
  const may = ruleFor(name)
  if (!may) return [`${name} has no place in the design`]
  const allowed = ({ target, typeOnly }: Import) => {
    if (target === 'core/crypto.ts' && !typeOnly) return MAY_IMPORT_CRYPTO.some((place) => name.startsWith(place))
    return may.some((other) => {
      const [, type, path = ''] = /^(type:)?(.*)$/.exec(other) as unknown as string[]
      return (!type || typeOnly) && (path.endsWith('/') || path === 'node:' ? target.startsWith(path) : target === path)
    })
  }
  // A scheme is a file in schemes/; its neighbours are other schemes.
  const neighbour = ({ target }: Import) => /^schemes\/[^/]+$/.test(name) && /^schemes\/[^/]+$/.test(target)
  return imports.filter((one) => !allowed(one) || neighbour(one)).map(({ target }) => `${name} imports ${target}`)
}

/** What a door has besides `export … from`. */
function notReExports(source: ts.SourceFile): string[] {
  return source.statements.filter((one) => !ts.isExportDeclaration(one) || !one.moduleSpecifier).map((one) => one.getText())
}

// The language's own, which are the same everywhere and read nothing.
const LANGUAGE = new Set(
  'Array ArrayBuffer BigInt Boolean Error Infinity JSON Map Math NaN Number Object Promise RangeError RegExp Set String Symbol TypeError Uint8Array WeakMap WeakSet undefined'.split(
    ' ',
  ),
)

/** Globals that a module reads while it is imported: outside of functions, or in one that is called on the spot. */
function globalsAtRest(source: ts.SourceFile): string[] {
  // Names of the module itself; what functions declare is theirs.
  const declared = new Set<string>()
  const declare = (node: ts.Node): void => {
    const { name } = node as ts.NamedDeclaration
    if (name && ts.isIdentifier(name) && !ts.isPropertyAccessExpression(node) && !ts.isObjectLiteralElement(node)) declared.add(name.text)
    if (!ts.isFunctionLike(node) || called(node)) node.forEachChild(declare)
  }
  declare(source)
  const read: string[] = []
  const look = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    if (ts.isFunctionLike(node) && !called(node)) return
    if (ts.isIdentifier(node) && isRead(node) && !declared.has(node.text) && !LANGUAGE.has(node.text)) read.push(node.text)
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') read.push('Math.random')
    node.forEachChild(look)
  }
  look(source)
  return read
}

function called(node: ts.Node): boolean {
  let outer = node.parent
  while (ts.isParenthesizedExpression(outer)) outer = outer.parent
  return ts.isCallExpression(outer) && outer.expression.getText().includes(node.getText())
}

// Not the name of a property, a label, or what is declared here.
function isRead(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node
  return (parent as ts.NamedDeclaration).name !== node || ts.isShorthandPropertyAssignment(parent)
}

/** Uses of `URL` and `URLSearchParams`, which re-print what they read. */
function reprints(source: ts.SourceFile): string[] {
  const found: string[] = []
  each(source, (node) => {
    if (!ts.isIdentifier(node) || !/^URL(SearchParams)?$/.test(node.text) || !isRead(node)) return
    if (!ts.isTypeReferenceNode(node.parent) && !ts.isExpressionWithTypeArguments(node.parent)) found.push(node.parent.getText())
  })
  return found
}

const EQUALS = [
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
]

/** Signatures compared as text, which takes longer the more of them is right. */
function compares(source: ts.SourceFile): string[] {
  const found: string[] = []
  const secret = (node: ts.Expression) =>
    /(signature|mac|digest|hmac)$/i.test(node.getText().replace(/\W+$/, '')) &&
    !ts.isTypeOfExpression(node) &&
    !ts.isStringLiteralLike(node)
  const plain = (node: ts.Expression) =>
    ts.isLiteralExpression(node) || node.getText() === 'undefined' || node.kind === ts.SyntaxKind.NullKeyword
  each(source, (node) => {
    if (!ts.isBinaryExpression(node) || !EQUALS.includes(node.operatorToken.kind)) return
    if ((secret(node.left) && !plain(node.right)) || (secret(node.right) && !plain(node.left))) found.push(node.getText())
  })
  return found
}

/**
 * Functions over 60 lines. The object that a factory returns is not counted, nor are the functions inside, which are looked at by themselves.
 */
function longFunctions(source: ts.SourceFile): string[] {
  const found: string[] = []
  const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line
  const linesOf = (node: ts.Node) => lineOf(node.getEnd()) - lineOf(node.getStart()) + 1
  each(source, (node) => {
    if (!ts.isFunctionLike(node) || !(node as ts.FunctionDeclaration).body) return
    let lines = linesOf(node)
    const inside = (child: ts.Node): void => {
      const returned = ts.isReturnStatement(child) && child.expression && ts.isObjectLiteralExpression(child.expression)
      if (ts.isFunctionLike(child) || returned) lines -= linesOf(child) - 1
      else child.forEachChild(inside)
    }
    node.forEachChild(inside)
    if (lines > 60) found.push(`${(node as ts.NamedDeclaration).name?.getText() ?? 'a function'}: ${lines} lines`)
  })
  return found
}

/** How many lines have code: all but blank ones and comments. */
function linesOfCode(source: ts.SourceFile): number {
  const lines = new Set<number>()
  const lineOf = (at: number) => source.getLineAndCharacterOfPosition(at).line
  const collect = (node: ts.Node): void => {
    if (ts.isJSDoc(node) || node.kind === ts.SyntaxKind.EndOfFileToken) return
    const parts = node.getChildren(source)
    if (parts.length > 0) parts.forEach(collect)
    else if (node.getWidth(source) > 0)
      for (let line = lineOf(node.getStart(source)); line <= lineOf(node.getEnd()); line++) lines.add(line)
  }
  collect(source)
  return lines.size
}

/** A scheme reads like the page of its vendor. Parts with a name of their own go to schemes/shared/. */
const LONGEST_SCHEME = 110
/** Schemes that are longer, and why. */
const LONGER_SCHEMES: Record<string, { readonly lines: number; readonly because: string }> = {
  'schemes/hmac.ts': { lines: 260, because: 'our own format, on the hot path of every bundle, with its normal form in one place' },
  'schemes/azure.ts': { lines: 272, because: 'five kinds of SAS, with many parameters and several versions of the string to sign' },
}

/** A way from a file back to itself along imports, of types as well. */
function cycle(graph: Record<string, readonly Import[]>): string[] | undefined {
  const done = new Set<string>()
  const walk = (name: string, path: string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (done.has(name)) return
    for (const { target } of graph[name] ?? []) {
      const round = walk(target, [...path, name])
      if (round) return round
    }
    done.add(name)
    return
  }
  for (const name in graph) {
    const round = walk(name, [])
    if (round) return round
  }
  return
}

const sources = Object.fromEntries(files.map((name) => [name, parse(name, readFileSync(join(root, 'src', name), 'utf8'))]))
const graph = Object.fromEntries(files.map((name) => [name, importsOf(sources[name] as ts.SourceFile)]))

describe.each(files)('%s', (name) => {
  const source = sources[name] as ts.SourceFile
  const folder = name.split('/')[0] as string

  test('imports point down', () => expect(wrongImports(name, graph[name] ?? [])).toEqual([]))
  test('imports name files that exist', () => {
    for (const { target } of graph[name] ?? []) if (!/^(node|npm):/.test(target)) expect(files).toContain(target)
  })
  test('begins with a line that says what it is', () => expect(source.text).toMatch(/^(#!.*\n)?\/\/ \S.{20,}\n/))
  if (name !== 'cli/bin.ts') test('reads no global at rest', () => expect(globalsAtRest(source)).toEqual([]))
  if (!['http', 'service', 'client', 'cli', 'media'].includes(folder)) test('re-prints no URL', () => expect(reprints(source)).toEqual([]))
  if (!name.includes('/')) test('a door only re-exports', () => expect(notReExports(source)).toEqual([]))
  test('compares no signature as text', () => expect(compares(source)).toEqual([]))
  test('no function is longer than 60 lines', () => expect(longFunctions(source)).toEqual([]))
  if (/^schemes\/[^/]+$/.test(name))
    test('a scheme has at most 110 lines of code, or has its reason for more', () =>
      expect(linesOfCode(source)).toBeLessThanOrEqual(LONGER_SCHEMES[name]?.lines ?? LONGEST_SCHEME))
})

test('nothing is imported in a circle, types included', () => expect(cycle(graph)).toBeUndefined())

test('nothing else at the top level', () => {
  const here = readdirSync(root).filter((name) => !['.git', 'node_modules', 'dist', 'build'].includes(name))
  const design = [
    '.ci',
    '.github',
    '.gitignore',
    'LICENSE',
    'README.md',
    'docs',
    'jsr.json',
    'package-lock.json',
    'package.json',
    'rollup.config.mjs',
    'src',
    'test',
    'tsconfig.json',
  ]
  expect(here.filter((name) => !design.includes(name))).toEqual([])
  expect(readdirSync(join(root, '.ci'))).toEqual(['run'])
})

test('every file of src has a place in the design', () => {
  const doors = Object.keys(MAY).filter((place) => !place.includes('/'))
  const folders = Object.keys(MAY)
    .filter((place) => place.endsWith('/'))
    .map((place) => place.split('/')[0])
  expect(readdirSync(join(root, 'src')).filter((name) => !doors.includes(name) && !folders.includes(name))).toEqual([])
})

// A rule that catches nothing is no rule.
describe('these rules catch', () => {
  const imports = (name: string, text: string) => wrongImports(name, importsOf(parse(name, text)))
  test.each([
    ['lib/url.ts', `import { assertOption } from '../core/errors.ts'`],
    ['lib/url.ts', `import type { Scheme } from '../core/scheme.ts'`],
    ['lib/url.ts', `import { readFileSync } from 'node:fs'`],
    ['core/keys.ts', `import { hmac } from '../schemes/hmac.ts'`],
    ['core/sign.ts', `export * from '../schemes/hmac.ts'`],
    ['core/sign.ts', `const scheme = await import('../schemes/hmac.ts')`],
    ['core/sign.ts', `let scheme: import('../schemes/hmac.ts').HmacOptions`],
    ['core/inspect.ts', `import { matches } from './crypto.ts'`],
    ['schemes/s3.ts', `import { verify } from '../core/verify.ts'`],
    ['schemes/s3.ts', `import { compute } from '../core/crypto.ts'`],
    ['schemes/s3.ts', `import { hmac } from './hmac.ts'`],
    ['schemes/s3.ts', `import type { HmacOptions } from './hmac.ts'`],
    ['schemes/s3.ts', `import { createHmac } from 'crypto'`],
    ['schemes/shared/sigv4.ts', `import { s3 } from '../s3.ts'`],
    ['stores/redis.ts', `import { redeem } from '../core/redeem.ts'`],
    ['stores/redis.ts', `import { createClient } from 'redis'`],
    ['http/guard.ts', `import { hmac } from '../schemes/hmac.ts'`],
    ['http/guard.ts', `import { service } from '../service/service.ts'`],
    ['http/guard.ts', `import { createServer } from 'node:http'`],
    ['service/service.ts', `import { createServer } from 'node:http'`],
    ['client/fetch-link.ts', `import { guard } from '../http/guard.ts'`],
    ['client/fetch-link.ts', `import { verify } from '../core/verify.ts'`],
    ['client/expires-in.ts', `import { inspect } from '../core/inspect.ts'`],
    ['recognise/rules/storage.ts', `import { azure } from '../../schemes/azure.ts'`],
    ['index.ts', `export { pichax } from './schemes/pichax.ts'`],
    ['guard.ts', `export { service } from './service/service.ts'`],
    ['utils.ts', ''],
    ['tools/x.ts', ''],
  ])('%s: %s', (name, text) => expect(imports(name, text)).not.toEqual([]))

  test.each([
    ['schemes/x.ts', `import type { Scheme } from '../core/scheme.ts'`],
    ['schemes/shared/x.ts', `import { compute } from '../../core/crypto.ts'`],
    ['stores/x.ts', `import type { UseStore } from '../core/redeem.ts'`],
    ['stores/x.ts', `import { type UseStore } from '../core/redeem.ts'`],
    ['http/node/listener.ts', `import { createServer } from 'node:http'`],
    ['cli/main.ts', `import { readFile } from 'node:fs/promises'`],
  ])('and not %s: %s', (name, text) => expect(imports(name, text)).toEqual([]))

  test.each(['const a = 1', `import { a } from './a.ts'`, 'export const a = 1', 'export { a }'])('a door that does more: %s', (text) =>
    expect(notReExports(parse('guard.ts', text))).toHaveLength(1),
  )
  test('and not a door', () => expect(notReExports(parse('guard.ts', `export { type A, a } from './a.ts'`))).toEqual([]))

  test('a function of 61 lines, and not one of 60', () => {
    const lines = (count: number) => `function long() {\n${'  call()\n'.repeat(count - 2)}}`
    expect(longFunctions(parse('x.ts', lines(61)))).toHaveLength(1)
    expect(longFunctions(parse('x.ts', lines(60)))).toEqual([])
  })
  test('and not the object that a factory returns', () => {
    const object = `function factory() {\n  return {\n${'    a: 1,\n'.repeat(70)}  }\n}`
    expect(longFunctions(parse('x.ts', object))).toEqual([])
  })

  test.each([
    'const a = crypto',
    'const a = globalThis',
    'const a = Date.now()',
    'let a = new Date()',
    'const { env } = process',
    'const a = new TextEncoder()',
    'const a = (() => fetch)()',
    'const a = { crypto }',
    'const a = Math.random()',
    'class A { static b = navigator }',
    'const a = typeof window',
    'if (document) {}',
    'const f = () => { const { crypto } = globalThis }; const a = crypto',
  ])('a global at rest: %s', (text) => expect(globalsAtRest(parse('x.ts', text))).not.toEqual([]))

  test.each([
    'const a = () => crypto',
    'function f() { return Date.now() }',
    'const a = { fetch: 1 }.fetch',
    'let a: Date | Crypto',
    'const a = new WeakMap()',
    'class A { b() { return navigator } }',
    `import { crypto } from './x.ts'; const a = crypto`,
    'export type { Date }',
  ])('and not: %s', (text) => expect(globalsAtRest(parse('x.ts', text))).toEqual([]))

  test.each([
    'const f = (a) => new URL(a)',
    'const f = (a) => URL.parse(a)',
    'const f = () => new URLSearchParams()',
    'const f = (a) => a instanceof URL',
  ])('a URL re-printed: %s', (text) => expect(reprints(parse('x.ts', text))).toHaveLength(1))
  test('and not a type', () =>
    expect(reprints(parse('x.ts', 'const f = (a: URL) => (a as URL).href; interface A extends URL {}'))).toEqual([]))

  test.each(['a.signature === b', 'mac != other', 'given === (await digest)', 'x === link.signature', 'hexHmac !== y'])(
    'a comparison: %s',
    (text) => expect(compares(parse('x.ts', text))).toHaveLength(1),
  )
  test.each([
    'signature === undefined',
    'a.signature?.length === 43',
    `x === 'bad_signature'`,
    `typeof mac === 'string'`,
    'signature !== null',
  ])('and not: %s', (text) => expect(compares(parse('x.ts', text))).toEqual([]))

  test('lines of code, and neither comments nor blank lines', () => {
    const lines = [
      '// a comment',
      '',
      '/** Of two',
      ' * lines. */',
      'const a = 1 // behind code',
      "const b = '/*'",
      'const c = `a',
      '`',
      'if (a) {',
      '}',
    ]
    expect(linesOfCode(parse('x.ts', lines.join('\n')))).toBe(6)
  })
  test('no longer scheme is excused that is not there, or that is short', () => {
    for (const name in LONGER_SCHEMES) expect(linesOfCode(sources[name] as ts.SourceFile)).toBeGreaterThan(LONGEST_SCHEME)
  })

  test('a circle', () => {
    const to = (target: string, typeOnly = false): Import[] => [{ target, typeOnly }]
    expect(cycle({ a: to('b'), b: to('c'), c: to('b') })).toEqual(['b', 'c', 'b'])
    expect(cycle({ a: to('b'), b: to('c'), c: to('b', true) })).toEqual(['b', 'c', 'b'])
    expect(cycle({ a: to('b'), b: to('c') })).toBeUndefined()
  })
})
