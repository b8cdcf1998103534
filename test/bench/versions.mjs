// The versions of the packages that are measured.
import { readFileSync } from 'node:fs'

const PACKAGES = ['jose', 'hono', 'aws4fetch', '@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner', 'signed', 'esbuild']

const versionIn = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version

export const versions = () => [
  { name: 'securelink', version: versionIn('../../package.json') },
  ...PACKAGES.map((name) => ({ name, version: versionIn(`../../node_modules/${name}/package.json`) })),
]
