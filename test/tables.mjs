// Writes what is made from the folder of schemes: the tables in README.md and docs/schemes/README.md, jsr.json, and the playground's examples. `npm run tables` runs it, and test/tables.test.ts compares.
//
// A table has a line for each file in src/schemes. The facts come from the scheme itself, the name from the first line of its page in
// docs/schemes, and `links` and `comparedWith` from `about` in its vector file.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const camel = (name) => name.replace(/-./g, (dash) => dash[1].toUpperCase())
const firstLine = (text) => text.slice(0, text.indexOf('\n'))

// Reasons, in the order of the table of reasons, with the statuses that `statusOf` gives.
const STATUSES = { malformed: 400, unknown_key: 403, bad_signature: 403, wrong_path: 403, wrong_method: 405, wrong_ip: 403, expired: 410 }

/** The scheme of a file, made with the keys and options of its first vectors. Compiled in memory, because Node 20 does not run TypeScript. */
async function schemeOf(root, name, { keys, options }) {
  const { outputFiles } = await build({
    entryPoints: [join(root, `src/schemes/${name}.ts`)],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    nodePaths: [join(root, 'node_modules')],
    write: false,
  })
  const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
  const dated = keys.map(({ starts: _, expires: __, ...key }) => key)
  return module[camel(name)](dated, options)
}

/** What the tables say of each scheme, in the order of the folder. */
export async function factsOf(root) {
  const names = readdirSync(join(root, 'src/schemes')).filter((file) => file.endsWith('.ts'))
  return Promise.all(
    names.sort().map(async (file) => {
      const name = file.slice(0, -'.ts'.length)
      const { about, testGroups } = JSON.parse(readFileSync(join(root, `test/conformance/vectors/${name}.json`), 'utf8'))
      const scheme = await schemeOf(root, name, testGroups[0])
      const verified = testGroups.filter((group) => !group.inspectOnly).flatMap(({ tests }) => tests)
      return {
        name,
        title: firstLine(readFileSync(join(root, `docs/schemes/${name}.md`), 'utf8')).replace(/^#+ /, ''),
        kind: about?.kind ?? 'Others',
        links: about?.links ?? '',
        comparedWith: about?.comparedWith ?? '',
        covers: scheme.covers,
        carries: scheme.carries,
        expiry: scheme.expiry ?? 'required',
        validAtExpiry: scheme.validAtExpiry ?? false,
        status: scheme.status ?? {},
        signs: verified.filter(({ conditions }) => conditions).length,
        verifies: verified.length,
      }
    }),
  )
}

const EXPIRY = { required: 'always', optional: 'if given', none: 'never' }

const boundaryOf = ({ expiry, validAtExpiry }) => (expiry === 'none' ? 'never expires' : validAtExpiry ? 'still valid' : 'expired')

function statusesOf({ status }) {
  const others = Object.entries(STATUSES).filter(([reason, usual]) => (status[reason] ?? usual) !== usual)
  return others.map(([reason]) => `\`${reason}\` ${status[reason]}`).join(', ') || 'as listed'
}

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => `${cell}`.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

/** The short table of README.md: a row for each kind of scheme. */
export function readmeTable(facts) {
  const kinds = [...new Set(facts.map(({ kind }) => kind))].sort()
  const rows = kinds.map((kind) => {
    const schemes = facts.filter((fact) => fact.kind === kind)
    return [kind, schemes.map(({ title, name, links }) => `[\`${title}\`](docs/schemes/${name}.md): ${links}`).join('<br>')]
  })
  return table(['kind', 'schemes, and the links that each signs and verifies'], rows)
}

/** The page docs/schemes/README.md. */
export function schemesPage(facts) {
  const rows = facts.map((fact) => [
    `[\`${fact.title}\`](${fact.name}.md)`,
    fact.links,
    fact.covers.join(', '),
    fact.carries.join(', ') || 'none',
    EXPIRY[fact.expiry],
    boundaryOf(fact),
    statusesOf(fact),
    fact.signs,
    fact.verifies,
    fact.comparedWith,
  ])
  const head = ['scheme', 'links of', 'covered', 'conditions', 'expires', 'at the expiry', 'statuses', 'signs', 'verifies', 'compared with']
  return `# Schemes

\`npm run tables\` generates this page from the schemes and their test vectors.

* **covered**: the parts of a request that the signature covers. Anyone with one link can change every other part. Options of a scheme can change
  the list; the table shows the first options of its vectors.
* **conditions**: the standard conditions that its links can carry, besides \`expires\`.
* **expires**: whether links always expire, only if an expiry is given, or never.
* **at the expiry**: whether a link is still valid, or already expired, at the exact time of its expiry, as with the vendor.
* **statuses**: the statuses that differ from the [table of reasons](../../README.md#why-a-link-was-refused).
* **signs**, **verifies**: the number of test vectors that are signed and verified.
* **compared with**: the real programs that its links were compared with.

${table(head, rows)}

[anyOf](any-of.md) joins several schemes. [Adding a scheme](../adding-a-scheme.md) shows how to write one.
`
}

/**
 * An example of each scheme for the playground: its first vector that verifies with the default options, with the key, which is published there.
 * Schemes that need options have a link without a key: the page can read it.
 */
function examplesScript(root, names) {
  const examples = names.map((name) => {
    const { testGroups } = JSON.parse(readFileSync(join(root, `test/conformance/vectors/${name}.json`), 'utf8'))
    const all = testGroups.flatMap(({ keys = [], options, tests }) => tests.map((test) => ({ ...test, keys, options })))
    const good = all.filter(({ result, visit }) => result === 'ok' && !visit.headers)
    const isUrl = ({ link }) => /^https?:/.test(link)
    const isPlain = ({ keys, options = {} }) => keys.length === 1 && typeof keys[0].secret === 'string' && Object.keys(options).length === 0
    const { link, keys, visit, ...rest } =
      good.find((one) => isUrl(one) && isPlain(one)) ?? good.find(isPlain) ?? good.find(isUrl) ?? good[0]
    const [{ id, secret } = {}] = keys
    return { scheme: camel(name), link, ...(isPlain({ keys, ...rest }) && { key: { id, secret }, visit }) }
  })
  return `// Written by npm run tables: a link of each scheme, from the test vectors.\nglobalThis.EXAMPLES = ${JSON.stringify(examples, null, 2)}\n`
}

/** The package for JSR: the same entry points as the npm package's, as TypeScript, without the command and without NGINX's. */
function jsrPackage(root) {
  const { version, license, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const files = (folder) => readdirSync(join(root, 'src', folder)).filter((file) => file.endsWith('.ts') && file !== 'njs.ts')
  const entries = ['.', 'schemes', 'stores'].flatMap((folder) => files(folder).map((file) => `./${join(folder, file)}`)).sort()
  const exports = Object.fromEntries(
    entries.map((entry) => [entry === './index.ts' ? '.' : entry.replace('.ts', ''), entry.replace('./', './src/')]),
  )
  const imports = { '@noble/hashes/': `npm:@noble/hashes@${devDependencies['@noble/hashes']}/` }
  const include = ['src', 'README.md', 'LICENSE', 'jsr.json']
  return `${JSON.stringify({ name: '@securelink/securelink', version, license, exports, imports, publish: { include, exclude: ['src/cli', 'src/njs', 'src/njs.ts'] } }, null, 2)}\n`
}

const MARKED = /(<!-- schemes -->\n)[\s\S]*?(\n<!-- \/schemes -->)/

/** The files with their tables as they should be. */
export async function tablesOf(root) {
  const facts = await factsOf(root)
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  if (!MARKED.test(readme)) throw new Error('README.md must have the lines <!-- schemes --> and <!-- /schemes -->')
  return {
    'README.md': readme.replace(MARKED, (_, before, after) => before + readmeTable(facts) + after),
    'docs/schemes/README.md': schemesPage(facts),
    'jsr.json': jsrPackage(root),
    'docs/playground/examples.js': examplesScript(
      root,
      facts.map(({ name }) => name),
    ),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(await tablesOf(process.cwd()))) writeFileSync(path, text)
}
