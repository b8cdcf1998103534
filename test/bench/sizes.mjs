// Measures how much an app downloads for some names of a package: bundled by esbuild, minified, and compressed with gzip.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bytes of an app that exports these names. */
async function sizeOf(code, platform = 'browser') {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform,
    write: false,
    logLevel: 'error',
  })
  return gzipSync(outputFiles[0].contents, { level: 9 }).length
}

const OURS = [
  ['`{ sign, verify, hmac }`', "export { sign, verify, hmac } from './dist/index.js'", 8000],
  ['`{ inspect, hmac }`', "export { inspect, hmac } from './dist/index.js'", 4000],
  ['`{ recognise }`', "export { recognise } from './dist/recognise.js'", 4500],
  ['the client', "export { expiresIn, fetchLink, keepFresh, serverClock } from './dist/client.js'", 7500],
  ['`{ sign, s3 }`', "export { sign } from './dist/index.js'; export { s3 } from './dist/schemes/s3.js'"],
]

const PEERS = [
  ['jose, `{ CompactSign, compactVerify }`', "export { CompactSign, compactVerify } from 'jose'"],
  ['jose, `{ SignJWT, jwtVerify }`', "export { SignJWT, jwtVerify } from 'jose'"],
  ['jose, `{ decodeJwt }`', "export { decodeJwt } from 'jose'"],
  ['hono, signed cookie', "export { parseSigned, serializeSigned } from 'hono/utils/cookie'"],
  ['aws4fetch, `{ AwsClient }`', "export { AwsClient } from 'aws4fetch'"],
  [
    'AWS presigner, with its client',
    "export { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'; export { getSignedUrl } from '@aws-sdk/s3-request-presigner'",
  ],
  ['npm `signed`, without `node:crypto`', "export { default } from 'signed'", undefined, 'node'],
]

const camel = (name) => name.replace(/-./g, (dash) => dash[1].toUpperCase())

/** What each scheme adds to an app that has the verbs and hmac. */
async function schemes() {
  const [[, base]] = OURS
  const without = await sizeOf(base)
  const names = readdirSync(`${root}src/schemes`)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
  const rows = []
  for (const name of names) {
    if (name === 'hmac') continue
    rows.push({ name, bytes: (await sizeOf(`${base}; export { ${camel(name)} } from './dist/schemes/${name}.js'`)) - without })
  }
  return rows
}

export async function sizes() {
  const rows = async (list) => {
    const measured = []
    for (const [name, code, most, platform] of list) measured.push({ name, bytes: await sizeOf(code, platform), most })
    return measured
  }
  return { ours: await rows(OURS), peers: await rows(PEERS), schemes: await schemes() }
}
