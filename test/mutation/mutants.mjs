// The mutants of a source file: small changes that some test should notice. Each is a span of the text, and the text to put there.
import ts from 'typescript'

const SWAPS = new Map([
  ['===', ['!==']],
  ['!==', ['===']],
  ['<', ['<=', '>=']],
  ['<=', ['<', '>']],
  ['>', ['>=', '<=']],
  ['>=', ['>', '<']],
  ['&&', ['||']],
  ['||', ['&&']],
  ['??', ['&&']],
  ['+', ['-']],
  ['-', ['+']],
  ['*', ['/']],
  ['/', ['*']],
  ['%', ['*']],
  ['<<', ['>>']],
  ['>>', ['<<']],
  ['&', ['|']],
  ['|', ['&']],
  ['+=', ['-=']],
  ['-=', ['+=']],
  ['??=', ['=']],
])

// Methods, and what is called in their place; '' calls nothing and takes the object itself.
const METHODS = new Map([
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['some', 'every'],
  ['every', 'some'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
  ['min', 'max'],
  ['max', 'min'],
  ['indexOf', 'lastIndexOf'],
  ['lastIndexOf', 'indexOf'],
  ['padStart', 'padEnd'],
  ['padEnd', 'padStart'],
  ['toLowerCase', ''],
  ['toUpperCase', ''],
  ['trim', ''],
  ['filter', ''],
  ['slice', ''],
  ['sort', ''],
  ['replace', ''],
  ['replaceAll', ''],
  ['flat', ''],
])

// Changes of a regular expression's source: what to look for, and what to write instead.
const PATTERNS = [
  [/^\^/, ''],
  [/(?<!\\)\$$/, ''],
  [/\[\^/, '['],
  [/\[(?!\^)/, '[^'],
  [/(?<=[\])\w.])\+/, '*'],
  [/(?<=[\])\w.])\*/, '+'],
  [/\\d/, '\\D'],
  [/\\w/, '\\W'],
  [/\(\?!/, '(?='],
  [/\(\?=/, '(?!'],
]

/** All mutants of a file: `{ file, line, kind, start, end, text }`. */
export function mutantsOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true)
  const found = []
  const textOf = (node) => node.getText(tree)
  function add(kind, node, text, { start = node.getStart(tree), end = node.getEnd() } = {}) {
    const line = tree.getLineAndCharacterOfPosition(start).line + 1
    if (source.slice(start, end) !== text) found.push({ file, line, kind, start, end, text })
  }

  const isCondition = (node) => {
    const { parent } = node
    return (
      ((ts.isIfStatement(parent) || ts.isWhileStatement(parent)) && parent.expression === node) ||
      ((ts.isConditionalExpression(parent) || ts.isForStatement(parent)) && parent.condition === node)
    )
  }

  function expression(node) {
    if (isCondition(node)) {
      // An endless loop would only show that there is a limit of time.
      if (!ts.isWhileStatement(node.parent) && !ts.isForStatement(node.parent)) add('condition', node, 'true')
      add('condition', node, 'false')
    }
    if (ts.isBinaryExpression(node)) {
      const { operatorToken } = node
      for (const other of SWAPS.get(textOf(operatorToken)) ?? []) add('operator', operatorToken, other)
      if (textOf(operatorToken) === '??') add('operator', node, `(${textOf(node.left)})`)
    } else if (ts.isPrefixUnaryExpression(node)) {
      if (node.operator === ts.SyntaxKind.ExclamationToken) add('negation', node, `(${textOf(node.operand)})`)
      if (node.operator === ts.SyntaxKind.MinusToken) add('sign', node, `(${textOf(node.operand)})`)
      if (node.operator === ts.SyntaxKind.PlusPlusToken) add('step', node, `--${textOf(node.operand)}`)
    } else if (ts.isPostfixUnaryExpression(node)) {
      const other = node.operator === ts.SyntaxKind.PlusPlusToken ? '--' : '++'
      add('step', node, `${textOf(node.operand)}${other}`)
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) add('constant', node, 'false')
    else if (node.kind === ts.SyntaxKind.FalseKeyword) add('constant', node, 'true')
    else if (ts.isNumericLiteral(node)) {
      const value = Number(node.text)
      add('constant', node, `${value + 1}`)
      add('constant', node, `(${value - 1})`)
    } else if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) add('string', node, node.text ? "''" : "'mutant'")
    else if (ts.isTemplateExpression(node)) add('string', node, "''")
    else if (ts.isRegularExpressionLiteral(node)) {
      const [, pattern, flags] = /^\/(.*)\/(\w*)$/s.exec(node.text)
      for (const [part, other] of PATTERNS)
        if (part.test(pattern)) add('regexp', node, `/${pattern.replace(part, other) || '(?:)'}/${flags}`)
      for (const flag of ['i', 'g']) if (flags.includes(flag)) add('regexp', node, `/${pattern}/${flags.replace(flag, '')}`)
    } else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) add('array', node, '[]')
    else if (ts.isCallExpression(node)) {
      const callee = node.expression
      if (ts.isPropertyAccessExpression(callee) && METHODS.has(callee.name.text)) {
        const other = METHODS.get(callee.name.text)
        if (other) add('method', callee.name, other)
        else add('method', node, textOf(callee.expression))
      }
      if (node.questionDotToken) add('chain', node.questionDotToken, '')
    } else if (ts.isPropertyAccessExpression(node) && node.questionDotToken) add('chain', node.questionDotToken, '.')
    else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) add('body', node.body, '(undefined)')
  }

  function visit(node) {
    // What a bundler writes for `undefined`.
    if (ts.isVoidExpression(node)) return
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (ts.isImportDeclaration(node) || (ts.isExportDeclaration(node) && node.moduleSpecifier)) return
    if (ts.isExpressionStatement(node)) add('statement', node, ';')
    else if (ts.isReturnStatement(node) && node.expression && !ts.isVoidExpression(node.expression)) add('return', node, 'return undefined')
    else if (ts.isContinueStatement(node) || ts.isBreakStatement(node)) add('statement', node, ';')
    else if (ts.isThrowStatement(node)) add('statement', node, ';')
    else expression(node)
    // Names of properties are no strings to change.
    node.forEachChild((child) => {
      if (!(ts.isPropertyAssignment(node) && child === node.name)) visit(child)
    })
  }
  tree.forEachChild(visit)
  return found
}
