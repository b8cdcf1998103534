// For the build: compiles a module to the JavaScript that njs 0.7.9 supports, which is ES5 with async functions and one default export.
import { rollup } from 'rollup'
import ts from 'typescript'

const { factory: f, SyntaxKind } = ts

/** A transformer that changes nodes from the leaves up. */
const each = (change) => (context) => (file) => {
  const visit = (node) => change(ts.visitEachChild(node, visit, context))
  return ts.visitNode(file, visit)
}

// For ES5, TypeScript turns async functions into state machines, but njs supports async functions. So they are hidden from TypeScript: the function
// gets a mark, and `await x` becomes a call. `show` restores them.
const MARK = 'async function'
const AWAIT = '__await'

const hide = each((node) => {
  if (ts.isAwaitExpression(node)) return f.createCallExpression(f.createIdentifier(AWAIT), undefined, [node.expression])
  const modifiers = node.modifiers?.filter(({ kind }) => kind !== SyntaxKind.AsyncKeyword)
  if (!modifiers || modifiers.length === node.modifiers.length) return node
  const { name, parameters } = node
  const statements = ts.isBlock(node.body) ? node.body.statements : [f.createReturnStatement(node.body)]
  const body = f.createBlock([f.createExpressionStatement(f.createStringLiteral(MARK)), ...statements], true)
  if (ts.isFunctionDeclaration(node))
    return f.createFunctionDeclaration(modifiers, undefined, name, undefined, parameters, undefined, body)
  if (ts.isMethodDeclaration(node))
    return f.createMethodDeclaration(modifiers, undefined, name, undefined, undefined, parameters, undefined, body)
  if (ts.isArrowFunction(node)) return f.createArrowFunction(modifiers, undefined, parameters, undefined, undefined, body)
  throw new Error('es5.mjs knows async functions that are declarations, methods or arrows')
})

const show = each((node) => {
  if (ts.isCallExpression(node) && node.expression.getText?.() === AWAIT) return f.createAwaitExpression(node.arguments[0])
  const [first, ...statements] = node.body?.statements ?? []
  if (!first || !ts.isExpressionStatement(first) || first.expression.text !== MARK) return node
  const body = f.createBlock(statements, true)
  const modifiers = [...(node.modifiers ?? []), f.createModifier(SyntaxKind.AsyncKeyword)]
  return ts.isFunctionDeclaration(node)
    ? f.createFunctionDeclaration(modifiers, undefined, node.name, undefined, node.parameters, undefined, body)
    : f.createFunctionExpression(modifiers, undefined, node.name, undefined, node.parameters, undefined, body)
})

// njs passes regular expressions to PCRE unchanged, where `$` also matches before a final line feed. njs has no flag `u`, and does not need it:
// strings are UTF-8, are matched by whole characters, and cannot have half a surrogate pair. It has no `replaceAll`, either. Templates become sums,
// because calls of `concat`, which TypeScript would write, take njs three times as long.
const mend = each((node) => {
  if (ts.isTemplateExpression(node)) {
    const plus = (left, right) => f.createBinaryExpression(left, SyntaxKind.PlusToken, right)
    const text = (part) => f.createStringLiteral(part.text)
    const sum = (left, span) => plus(plus(left, f.createParenthesizedExpression(span.expression)), text(span.literal))
    return f.createParenthesizedExpression(node.templateSpans.reduce(sum, text(node.head)))
  }
  if (node.kind === SyntaxKind.RegularExpressionLiteral) {
    const [, source, flags] = /^\/(.*)\/(\w*)$/.exec(node.text)
    const mended = source.replace(/\\p\{Surrogate\}|\\.|\[(?:\\.|[^\]])*\]|\$/g, (part) =>
      part === '$' ? '(?![\\s\\S])' : part === '\\p{Surrogate}' ? '(?!)' : part,
    )
    return f.createRegularExpressionLiteral(`/${mended}/${flags.replace('u', '')}`)
  }
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'replaceAll') {
    const call = (object, name, argument) => f.createCallExpression(f.createPropertyAccessExpression(object, name), undefined, [argument])
    const [what, by] = node.arguments
    if (ts.isStringLiteral(what) && ts.isStringLiteral(by)) return call(call(node.expression.expression, 'split', what), 'join', by)
  }
  return node
})

function compile(code, target, transformers) {
  const compilerOptions = {
    target,
    module: 'ESNext',
    verbatimModuleSyntax: true,
    noEmitHelpers: true,
    removeComments: true,
    ignoreDeprecations: '6.0',
  }
  return ts.transpileModule(code, { compilerOptions, transformers }).outputText
}

// The helpers that TypeScript calls for classes and spreads. Only arrays and plain objects are spread.
const HELPERS = `var __assign = Object.assign
function __spreadArray(to, from) {
    return to.concat(from)
}
function __extends(to, from) {
    to.prototype = Object.create(from.prototype)
}
`

// Features that njs 0.7.9 lacks. The build fails if shared code uses one. WeakMap is allowed, because only keys that are looked up need it, and NGINX
// uses lists of keys.
const LACKING =
  /\b(?!__assign\b|__spreadArray\b|__extends\b)__[a-zA-Z]\w*(?=\()|\.(?:flat|flatMap|at|replaceAll|matchAll|normalize|localeCompare|fromEntries|findLast|allSettled)(?=\()|\bArray\.from\b|\b(?:Map|Set|WeakSet|WeakRef|URL|URLSearchParams|Proxy|Reflect|BigInt|Intl|structuredClone|performance)\b(?=[.(])/

const shared = {
  name: 'njs',
  resolveId(id, from) {
    return id.endsWith('/crypto.ts') && from.includes('/src/core/') ? `${import.meta.dirname}/crypto.ts` : null
  },
  transform: (code) => compile(compile(compile(code, 'ES2022'), 'ES5', { before: [hide, mend] }), 'ES2017', { before: [show] }),
}

/** A plugin for rollup. `core/crypto.ts`, which calls WebCrypto, is replaced by the one in this folder, and `judge.ts` becomes one function. */
export const njs = {
  ...shared,
  async load(id) {
    if (!id.endsWith('/njs/judge.ts')) return null
    const bundle = await rollup({ input: id, plugins: [shared] })
    const { output } = await bundle.generate({ format: 'iife', name: 'judge', strict: false })
    for (const file of bundle.watchFiles) this.addWatchFile(file)
    return `export default function judge() {\n${HELPERS}${output[0].code}return judge()\n}`
  },
  transform: (code, id) => (id.endsWith('/njs/judge.ts') ? null : shared.transform(code)),
  renderChunk(code) {
    const whole = code.replace(/export \{ (\w+) as default \};/, 'export default $1;')
    const [lacking] = LACKING.exec(whole) ?? []
    if (lacking) this.error(`njs 0.7.9 has no ${lacking}`)
    return `// SecureLink for NGINX: docs/guide/nginx.md. Made from src/njs.\n${whole}`
  },
}
