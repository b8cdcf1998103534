// The published package: names, files, declarations, sizes, hashes. The tests use the packed package, as npm would install it.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import * as attw from '@arethetypeswrong/core'
import { build, transformSync } from 'esbuild'
import { publint } from 'publint'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { built, root } from './built.ts'
import { find, leftOut } from './prepare.mjs'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const list = (folder: string, end = ''): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder))
        .filter((name) => name.endsWith(end))
        .sort()
    : []
const manifest = JSON.parse(read('package.json'))
const camel = (name: string): string => name.replace(/-./g, (dash) => dash.slice(1).toUpperCase())

const schemes = list('src/schemes', '.ts').map((name) => basename(name, '.ts'))
const stores = list('src/stores', '.ts').map((name) => basename(name, '.ts'))

// Every name that can be imported. The file of a scheme or a store exports the factory of its name.
const EXPORTS: Record<string, string[]> = {
  '.': ['LinkError', 'anyOf', 'hmac', 'inspect', 'linkMemory', 'redeem', 'sign', 'signAll', 'signIn', 'statusOf', 'verify'],
  './client': ['cacheKey', 'expiresIn', 'fetchLink', 'freshLink', 'freshLinks', 'keepFresh', 'serverClock'],
  './explain': ['explain'],
  './guard': ['cacheControl', 'confirm', 'guard', 'setCookies'],
  './media': ['signManifest', 'signPlaylist'],
  './all-of': ['allOf'],
  './post-policy': ['postPolicy', 'verifyPost'],
  './service': ['bearer', 'pythonRoutes', 'renewal', 'service'],
  './node': ['listener', 'middleware'],
  './njs': ['default'],
  './recognise': ['recognise'],
  ...Object.fromEntries(schemes.map((name) => [`./schemes/${name}`, [camel(name)]])),
  ...Object.fromEntries(stores.map((name) => [`./stores/${name}`, [`${camel(name)}Store`]])),
  './stores/durable-object': ['LinkUses', 'durableObjectStore'],
}

// Ceilings in bytes, minified and compressed, for an app that imports these names. They leave room, so that readable code need not be shortened.
// The ceilings are the design's. Where one has not been reached, `now` keeps the size from growing, and the test of the ceiling is one that is known
// to fail: it tells when the ceiling has been reached.
const SIZES: { from?: string; names: string[]; most: number; now?: number }[] = [
  { names: ['sign', 'verify', 'hmac'], most: 8000, now: 11_080 },
  { names: ['inspect', 'hmac'], most: 4000, now: 5430 },
  { from: 'securelink/recognise', names: ['recognise'], most: 4500 },
  { from: 'securelink/post-policy', names: ['postPolicy', 'verifyPost'], most: 7500 },
  { from: 'securelink/client', names: ['expiresIn', 'fetchLink', 'keepFresh', 'serverClock'], most: 7500, now: 8320 },
  {
    from: 'securelink/client',
    names: ['cacheKey', 'expiresIn', 'fetchLink', 'freshLink', 'freshLinks', 'keepFresh', 'serverClock'],
    most: 7500,
    now: 9880,
  },
]

const temporary = mkdtempSync(join(tmpdir(), 'securelink-package-'))
const consumer = join(temporary, 'consumer')
const home = join(consumer, 'node_modules/securelink')
let packed: string[] = []
let tarball = ''

const node = (args: string[], options = {}): string =>
  execFileSync(process.execPath, args, { cwd: consumer, encoding: 'utf8', stdio: 'pipe', ...options })

beforeAll(async () => {
  await built()
  const answer = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', temporary], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ filename, files }] = JSON.parse(answer)
  packed = files.map(({ path }: { path: string }) => path).sort()
  tarball = join(temporary, filename)
  mkdirSync(home, { recursive: true })
  execFileSync('tar', ['xzf', tarball, '--strip-components=1', '-C', home])
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
}, 120_000)

afterAll(() => rmSync(temporary, { recursive: true, force: true }))

/** The subpaths of `exports`, with the patterns filled in from the packed files. */
function subpaths(): { subpath: string; types: string; file: string }[] {
  return Object.entries(manifest.exports as Record<string, { types: string; default: string } | string | null>).flatMap(
    ([subpath, target]) => {
      if (target === null || typeof target === 'string') return []
      const [before = '', after] = target.default.slice(2).split('*')
      if (after === undefined) return [{ subpath, types: target.types, file: target.default }]
      const names = packed
        .filter((path) => path.startsWith(before) && path.endsWith(after))
        .map((path) => path.slice(before.length, -after.length))
        .filter((name) => !name.includes('/'))
      return names.map((name) => ({
        subpath: subpath.replace('*', name),
        types: target.types.replace('*', name),
        file: target.default.replace('*', name),
      }))
    },
  )
}

describe('exports', () => {
  test('every subpath, and every name of it', () => {
    const script = `
      const names = {}
      for (const path of ${JSON.stringify(subpaths().map(({ subpath }) => subpath))}) names[path] = Object.keys(await import('securelink' + path.slice(1))).sort()
      console.log(JSON.stringify(names))`
    expect(JSON.parse(node(['--input-type=module', '-e', script]))).toEqual(EXPORTS)
  })

  test('every subpath has declarations', () => {
    for (const { types } of subpaths()) expect(packed).toContain(types.slice(2))
  })

  test('package.json can be read, and nothing else can be reached', () => {
    expect(JSON.parse(node(['-p', `JSON.stringify(require('securelink/package.json'))`])).version).toBe(manifest.version)
    for (const path of ['dist/index.js', 'lib/url', 'core/keys', 'hls', 'schemes/hmac.js', 'schemes/shared/sigv4', 'schemes/none'])
      expect(() => node(['-e', `require('securelink/${path}')`])).toThrow(
        /ERR_PACKAGE_PATH_NOT_EXPORTED|ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND/,
      )
  })

  test('require() works, too', () => {
    const names = JSON.parse(node(['--no-warnings', '--input-type=commonjs', '-p', `JSON.stringify(Object.keys(require('securelink')))`]))
    expect(names.filter((name: string) => name !== '__esModule').sort()).toEqual(EXPORTS['.'])
  })

  test('unpkg, jsdelivr and bin point at files', () => {
    const files = [manifest.unpkg, manifest.jsdelivr, ...Object.values((manifest.bin ?? {}) as Record<string, string>)]
    for (const file of files) expect(packed).toContain(file.replace(/^\.\//, ''))
    expect(manifest.unpkg).toBe('./dist/securelink.umd.js')
    expect(manifest.jsdelivr).toBe(manifest.unpkg)
  })
})

describe('files', () => {
  const CDN = ['securelink.all.umd.js', 'securelink.min.js', 'securelink.umd.js'].flatMap((name) => [`dist/${name}`, `dist/${name}.map`])

  test('the licence, the README, the manifest, and dist', () => {
    expect(packed.filter((path) => !path.startsWith('dist/'))).toEqual(['LICENSE', 'README.md', 'package.json'])
    expect(packed).toEqual(expect.arrayContaining(CDN))
  })

  test('every file in dist comes from one in src, or is inlined from a package', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(
      (name) => `dist/${name.replaceAll('\\', '/')}`,
    )
    const strays = packed.filter(
      (path) =>
        path.startsWith('dist/') &&
        !CDN.includes(path) &&
        !path.startsWith('dist/vendor/@noble/hashes/') &&
        !path.startsWith('dist/njs/') &&
        !sources.includes(path.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts')),
    )
    expect(strays).toEqual([])
  })

  test('nothing in them names a folder of this machine', () => {
    for (const path of packed) expect(readFileSync(join(home, path), 'utf8').includes(root), path).toBe(false)
  })

  test('no runtime dependencies, and nothing that runs when it is installed', () => {
    for (const name of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundleDependencies'])
      expect(manifest).not.toHaveProperty(name)
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(manifest.scripts).not.toHaveProperty(name)
    const imports = packed
      .filter((path) => /\.(js|d\.ts)$/.test(path))
      .flatMap((path) =>
        // Not with ts.preProcessFile, which reads an example in a comment after a regular expression as an import.
        ts
          .createSourceFile(path, readFileSync(join(home, path), 'utf8'), ts.ScriptTarget.ESNext)
          .statements.flatMap((one) =>
            (ts.isImportDeclaration(one) || ts.isExportDeclaration(one)) && one.moduleSpecifier ? [one.moduleSpecifier] : [],
          )
          .map((specifier) => `${path} imports ${(specifier as ts.StringLiteral).text}`),
      )
    expect(imports.filter((text) => !/ imports (\.|node:)/.test(text))).toEqual([])
  })

  test('the version is the newest of the changelog', () => {
    const [, version] = /^## \[?(\d+\.\d+\.\d+[^\]\s]*)/m.exec(read('docs/CHANGELOG.md')) ?? []
    expect(version).toBe(manifest.version)
    expect(JSON.parse(read('package-lock.json')).version).toBe(manifest.version)
  })
})

describe('schemes', () => {
  const vectors = (name: string) => `test/conformance/vectors/${name}.json`

  test.each(schemes)('%s has its page and its vectors', (name) => {
    expect(existsSync(join(root, `docs/schemes/${name}.md`)), `docs/schemes/${name}.md`).toBe(true)
    expect(existsSync(join(root, vectors(name))), vectors(name)).toBe(true)
  })

  test('every page and every vector file belongs to a scheme, but for the page of anyOf', () => {
    const named = [
      ...list('docs/schemes', '.md').map((name) => basename(name, '.md')),
      ...list('test/conformance/vectors', '.json').map((name) => basename(name, '.json')),
    ]
    expect(named.filter((name) => ![...schemes, 'README', 'any-of'].includes(name))).toEqual([])
  })
})

describe('declarations', () => {
  test('publint finds nothing', async () => {
    const { messages } = await publint({ pkgDir: home, strict: true })
    expect(messages).toEqual([])
  })

  test('are-the-types-wrong finds nothing that concerns a package without CommonJS', async () => {
    const result = await attw.checkPackage(attw.createPackageFromTarballData(readFileSync(tarball)))
    if (!result.types) throw new Error('no types')
    const old = (problem: attw.Problem) =>
      'resolutionKind' in problem && (problem.resolutionKind === 'node10' || problem.resolutionKind === 'node16-cjs')
    expect(result.problems.filter((problem) => !old(problem))).toEqual([])
  }, 60_000)

  const ELEMENTS = `
      import type { Keepable } from 'securelink/client'
      export const picture: Keepable = document.createElement('img')
      // @ts-expect-error: a <div> shows no link
      export const other: Keepable = document.createElement('div')`
  // The types of the platform in three kinds of projects. `securelink/node` needs the types of Node.
  const BROWSER = { lib: ['ES2022', 'DOM'], types: [], except: ['./node'], more: ELEMENTS }
  const WORKER = { lib: ['ES2022', 'WebWorker'], types: [], except: ['./node'], more: '' }
  const SERVER = { lib: ['ES2022'], types: ['node'], except: [], more: '' }

  test.each([
    ['NodeNext', 'NodeNext', 'the DOM', BROWSER],
    ['ESNext', 'bundler', 'the DOM', BROWSER],
    ['ESNext', 'bundler', 'workers', WORKER],
    ['NodeNext', 'NodeNext', 'Node', SERVER],
  ] as const)(
    'they check with %s modules, %s resolution, the types of %s alone and no skipLibCheck',
    (module, moduleResolution, _platform, { lib, types, except, more }) => {
      const imports = subpaths()
        .filter(({ subpath }) => !except.some((left) => left === subpath))
        .map(({ subpath }, i) => `import * as module${i} from 'securelink${subpath.slice(1)}'\nexport const used${i}: object = module${i}`)
      const use = `
      import { type Claims, hmac, sign, verify } from 'securelink'
      const links = hmac({ secret: 'x' })
      const link: string = await sign(links, '/x', { expires: '10m' })
      const verdict = await verify(links, link)
      export const claims: Claims | undefined = verdict.claims`
      writeFileSync(join(consumer, 'main.ts'), [...imports, use, more].join('\n'))
      const compilerOptions = {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types,
        typeRoots: [join(root, 'node_modules/@types')],
        target: 'ES2022',
        lib,
        module,
        moduleResolution,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        isolatedModules: true,
      }
      writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
      const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', consumer], {
        encoding: 'utf8',
      })
      expect(stdout).toBe('')
      expect(status).toBe(0)
    },
    60_000,
  )
})

const deno = find('deno')
test.skipIf(!deno)(
  deno ? 'Deno finds the types of modules that are imported by their address' : leftOut('deno'),
  () => {
    const path = join(temporary, 'addressed.ts')
    const lines = [
      `import { hmac, sign } from '${root}dist/index.js'`,
      `import { confirm, guard } from '${root}dist/guard.js'`,
      ...schemes.map((name) => `import '${root}dist/schemes/${name}.js'`),
      `const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })`,
      `export const link: Promise<string> = sign(links, '/x', { expires: '1h' })`,
      '// @ts-expect-error: no bare number',
      `sign(links, '/x', { expires: 5 })`,
      'export const handlers = [guard, confirm]',
      // The second argument of a handler for Deno.serve() is known from the call, and has an address on TCP.
      'export const server = () => Deno.serve(guard(links, () => new Response(), { ip: (_request, info) => info.remoteAddr.hostname }))',
      'type Info = Deno.ServeHandlerInfo<Deno.NetAddr>',
      'export default {',
      '  fetch: guard(links, (_request, claims, info: Info) => new Response(claims.resource + info.remoteAddr.hostname), {',
      '    ip: (_request, info) => info.remoteAddr.hostname,',
      '  }),',
      '} satisfies { fetch: Deno.ServeHandler<Deno.NetAddr> }',
    ]
    writeFileSync(path, lines.join('\n'))
    const env = { ...process.env, NO_COLOR: '1' }
    const { status, stderr } = spawnSync(deno as string, ['check', '--no-remote', '--no-npm', '--no-config', path], {
      cwd: temporary,
      encoding: 'utf8',
      env,
    })
    expect(status, stderr).toBe(0)
  },
  60_000,
)

describe('the source runs without a build', () => {
  const runs = {
    deno: ['run', '--no-prompt', '--no-remote', '--no-npm', '--no-config', '--import-map=imports.json'],
    bun: ['--no-install'],
    'node-24': [],
  }
  const script = `
    import { hmac, sign, verify } from '${root}src/index.ts'
    ${schemes.map((name) => `import '${root}src/schemes/${name}.ts'`).join('\n')}
    const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
    console.log((await verify(links, await sign(links, '/x', { expires: '1m' }))).ok)`

  for (const [engine, args] of Object.entries(runs)) {
    const program = find(engine as 'deno')
    test.skipIf(!program)(
      program ? engine : leftOut(engine as 'deno'),
      () => {
        const path = join(temporary, 'direct.mjs')
        writeFileSync(path, script)
        // The source imports MD5 by its package's name, which Deno looks up in an import map.
        const map = { imports: { '@noble/hashes/': `file://${root}node_modules/@noble/hashes/` } }
        writeFileSync(join(temporary, 'imports.json'), JSON.stringify(map))
        const env = { ...process.env, NO_COLOR: '1' }
        const { stdout, stderr } = spawnSync(program as string, [...args, path], { cwd: temporary, encoding: 'utf8', env })
        expect(stdout.trim(), stderr).toBe('true')
      },
      60_000,
    )
  }
})

describe('the bundles', () => {
  const bundles = ['securelink.umd.js', 'securelink.min.js']
  const everything = 'securelink.all.umd.js'
  const ALLOWED = ['importKey', 'sign', 'verify']
  // biome-ignore lint/suspicious/noExplicitAny: whatever a script defines
  type Anything = any

  /** Runs a bundle in a realm of its own, where crypto.subtle has the methods that the bundle may call. */
  function load(name: string, allowed: readonly string[] = ALLOWED): { bundle: Anything; globals: string[]; calls: Set<string> } {
    const text = read(`dist/${name}`)
    const code = name.endsWith('.umd.js') ? text : transformSync(text, { format: 'iife', globalName: 'SecureLink' }).code
    const calls = new Set<string>()
    const subtle = new Proxy(crypto.subtle, {
      get(real, method: string) {
        calls.add(method)
        if (!allowed.includes(method)) throw new Error(`crypto.subtle.${method} is not for the bundles`)
        return (real as Anything)[method].bind(real)
      },
    })
    const world: Anything = {
      crypto: { subtle, getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) },
      TextEncoder,
      Uint8Array,
      URL,
      Request,
      console,
    }
    const before = Object.keys(world)
    runInContext(code, createContext(world))
    return { bundle: world.SecureLink, globals: Object.keys(world).filter((key) => !before.includes(key)), calls }
  }

  test.each(bundles)(
    '%s signs, verifies, redeems and inspects, and calls only importKey, sign and verify of crypto.subtle',
    async (name) => {
      const { bundle, globals, calls } = load(name)
      expect(globals).toEqual(['SecureLink'])
      const { hmac, pichax, anyOf, sign, verify, redeem, inspect } = bundle
      const secret = '0123456789abcdef0123456789abcdef'
      const links = anyOf(
        hmac(
          [
            { id: 'b', secret },
            { id: 'a', secret },
          ],
          { origin: true, purpose: 'test' },
        ),
        pichax({ id: 'px', secret }),
      )
      const link = await sign(links, 'https://h.test/a/b?c=d', {
        expires: '1h',
        ip: '203.0.113.0/24',
        method: 'PUT',
        prefix: '/a/',
        uses: 1,
        starts: '0s',
      })
      const visit = { ip: '203.0.113.9', method: 'PUT' }
      expect(await verify(links, link, visit)).toMatchObject({ ok: false, reason: 'needs_redeem' })
      expect(await redeem(links, link, { ...visit, store: { take: () => true } })).toMatchObject({ ok: true, scheme: 'hmac' })
      expect(inspect(hmac([]), link)).toMatchObject({ scheme: 'hmac' })
      const picture = await sign(pichax({ id: 'px', secret }), 'https://h.test/x', { expires: '1h', id: '7' })
      expect(await verify(links, picture)).toMatchObject({ ok: true, scheme: 'pichax' })
      expect([...calls].sort()).toEqual(ALLOWED)
    },
  )

  test.each(bundles)('%s contains the name of no other method of crypto.subtle', (name) => {
    const others = ['encrypt', 'decrypt', 'deriveBits', 'deriveKey', 'generateKey', 'exportKey', 'wrapKey', 'unwrapKey', 'timingSafeEqual']
    // `algorithm.digest(message)` is a scheme's own function; that of WebCrypto takes the name of a hash first.
    expect(read(`dist/${name}`)).not.toMatch(/\bdigest\(["'`]/)
    for (const method of others) expect(read(`dist/${name}`)).not.toMatch(new RegExp(`\\.\\s*${method}\\b|\\[['"\`]${method}['"\`]\\]`))
  })

  const namesOf = (name: string, allowed?: readonly string[]) =>
    Object.keys(load(name, allowed).bundle)
      .filter((key) => key !== '__esModule')
      .sort()

  test('have the same names: the verbs, hmac, pichax, anyOf, the client and recognise', () => {
    const [umd, min] = bundles.map((name) => namesOf(name))
    expect(umd).toEqual(min)
    expect(umd).toEqual([...(EXPORTS['.'] ?? []), ...(EXPORTS['./client'] ?? []), 'pichax', 'recognise'].sort())
  })

  test(`${everything} has every scheme, and what the other bundles have`, async () => {
    expect(namesOf(everything)).toEqual(expect.arrayContaining([...namesOf('securelink.umd.js'), ...schemes.map(camel), 'signPlaylist']))
    const { bundle } = load(everything, [...ALLOWED, 'digest'])
    const links = bundle.s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret: 'a secret' }, { region: 'eu-central-1' })
    const link = await bundle.sign(links, 'https://bucket.s3.eu-central-1.amazonaws.com/a.txt', { expires: '1h' })
    expect(await bundle.verify(links, link)).toMatchObject({ ok: true, scheme: 's3' })
  })
})

describe('sizes', () => {
  const rows: string[] = []
  afterAll(() => console.log(['minified and compressed:', ...rows].join('\n')))
  const row = (what: string, bytes: number, most?: number) =>
    rows.push(`  ${what.padEnd(34)}${String(bytes).padStart(6)}${most ? ` of ${most}` : ''}`)

  async function weigh(specifier: string, names: readonly string[]): Promise<number> {
    // A scheme that the main entry does not have comes from its own.
    const from = (name: string) => (schemes.includes(name) && !EXPORTS['.']?.includes(name) ? `securelink/schemes/${name}` : specifier)
    const stdin = { contents: names.map((name) => `export { ${name} } from '${from(name)}'`).join('\n'), resolveDir: consumer }
    const { outputFiles } = await build({
      stdin,
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'neutral',
      external: ['node:*', 'crypto'],
      write: false,
    })
    return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
  }

  test.each(SIZES)('$names', async ({ from = 'securelink', names, most, now = most }) => {
    const bytes = await weigh(from, names)
    row(`{ ${names.join(', ')} }`, bytes, most)
    expect(bytes).toBeLessThanOrEqual(now)
  })

  test.fails.each(SIZES.filter(({ now }) => now !== undefined))(
    'the ceiling of $names: $most bytes',
    async ({ from = 'securelink', names, most }) => {
      expect(await weigh(from, names)).toBeLessThanOrEqual(most)
    },
  )

  test('every subpath and bundle is printed, without a ceiling', async () => {
    for (const { subpath } of subpaths())
      row(
        `securelink${subpath.slice(1)}`,
        await weigh(`securelink${subpath.slice(1)}`, EXPORTS[subpath] ?? ['default']).catch(() => Number.NaN),
      )
    for (const name of ['securelink.umd.js', 'securelink.min.js', 'securelink.all.umd.js'])
      row(name, gzipSync(read(`dist/${name}`), { level: 9 }).length)
    expect(rows.length).toBeGreaterThan(3)
  })
})

describe('hashes', () => {
  const hash = (path: string) => `sha384-${createHash('sha384').update(readFileSync(path)).digest('base64')}`
  const BUNDLES = ['dist/securelink.umd.js', 'dist/securelink.min.js', 'dist/securelink.all.umd.js']

  test('a build somewhere else writes the same files, and prints their hashes', () => {
    const copy = join(temporary, 'copy')
    mkdirSync(copy)
    for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'rollup.config.mjs'])
      cpSync(join(root, name), join(copy, name), { recursive: true, filter: (path) => !path.includes('node_modules') })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const rollup = spawnSync(process.execPath, [join(root, 'node_modules/rollup/dist/bin/rollup'), '-c'], {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
    expect(rollup.status, rollup.stderr.slice(-800)).toBe(0)
    for (const path of BUNDLES) expect(`${rollup.stdout}${rollup.stderr}`).toContain(`${path} ${hash(join(copy, path))}`)
    for (const path of packed.filter((path) => path.startsWith('dist/'))) expect(hash(join(copy, path)), path).toBe(hash(join(root, path)))
  }, 120_000)

  test('pages that name a hash name that of the file before it', () => {
    const pages = [
      'README.md',
      ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(md|html)$/.test(name) && !name.startsWith('api'))
        .map((name) => `docs/${name}`),
    ]
    for (const page of pages) {
      let file = ''
      for (const [text, named] of read(page).matchAll(/(securelink\.(?:all\.umd|umd|min)\.js)\b|sha384-[\w+/=]*/g)) {
        if (named) file = named
        else expect(text, `${page}, ${file}`).toBe(hash(join(root, 'dist', file)))
      }
    }
    expect(read('README.md')).toMatch(/integrity="sha384-/)
  })
})
