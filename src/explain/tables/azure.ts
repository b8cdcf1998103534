// Mistakes with shared access signatures of Azure Storage.
import type { Claims } from '../../core/claims.ts'
import { decodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'
import type { Mistake } from '../mistake.ts'
import { urls, type Variant } from '../rule.ts'
import { rawValue, withOrigin, withPath, withValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

// Each brought another string to sign, or is the default of a library that is in use.
const VERSIONS = [
  '2018-03-28',
  '2018-11-09',
  '2020-12-06',
  '2020-02-10',
  '2022-11-02',
  '2021-12-02',
  '2019-12-12',
  '2015-04-05',
  '2024-11-04',
  '2025-07-05',
  '2026-04-06',
  '2023-11-03',
  '2019-02-02',
  '2017-04-17',
]

/** `/blob/account/container/blob`, the line that names the resource. */
const RESOURCE = /^\/(blob|file)\/([^/\n]+)(\/[^\n]*)?$/m

/** Changes the line that names the resource. */
const resource =
  (change: (service: string, account: string, path: string, attempt: Attempt) => string | undefined) =>
  (text: string, attempt: Attempt) => {
    const [line, service = '', account = '', path = ''] = RESOURCE.exec(text) ?? []
    const changed = line === undefined ? undefined : change(service, account, path, attempt)
    return changed === undefined ? undefined : text.replace(line as string, () => changed)
  }

/** The forms in which a time can have been signed. */
const FORMS_OF_TIME: readonly (readonly [written: RegExp, signed: string])[] = [
  [/(T\d\d:\d\d:\d\d)Z/, '$1.000Z'],
  [/(T\d\d:\d\d:\d\d)\.\d+Z/, '$1Z'],
  [/(T\d\d:\d\d:\d\d)Z/, '$1.0000000Z'],
  [/(T\d\d:\d\d):00Z/, '$1Z'],
  [/(T\d\d:\d\d):\d\dZ/, '$1Z'],
  [/(T\d\d:\d\d:\d\d)Z/, '$1+00:00'],
]

/** The time of a day. With a limit, because strangers can send links of thousands of `T` without a `Z`. */
const TIME = /T.{0,20}Z/g

/** Changes the times in those parts of the string that match, or only in one of them. */
const TIMES = FORMS_OF_TIME.map(([written, signed]) => (where: RegExp, only?: number) => (text: string) => {
  let at = 0
  return text.replace(where, (part) => (only === undefined || at++ === only ? part.replace(written, signed) : part))
})

const value = (attempt: Attempt, name: string): string => decodeValue((rawValue(attempt.url, name) ?? '').replaceAll('+', '%2B')) ?? ''

/** The permissions in the order that Azure asks for. */
const inOrder = (permissions: string): string =>
  [...permissions].sort((a, b) => 'racwdxltmeopif'.indexOf(a) - 'racwdxltmeopif'.indexOf(b)).join('')

export const AZURE: Table = {
  schemes: ['azure'],
  forms: {
    sv: 'a version such as 2022-11-02, from 2015-04-05 on',
    sr: 'b, c, d, f, s, bs or bv; an account SAS has ss and srt instead, and links for queues and tables have none',
    sp: "permissions of the resource in Azure's order, such as racwdl",
    se: 'a time such as 2030-01-01T00:00:00Z',
    st: 'a time such as 2030-01-01T00:00:00Z',
    sip: 'an IPv4 address or a range such as 203.0.113.1-203.0.113.9',
    spr: 'https or https,http',
    sig: 'an HMAC-SHA-256 in base64 of 44 characters, percent-encoded: %2B, %2F and %3D',
    sdd: 'the depth of the directory, and only with sr=d',
  },
  rules: [
    {
      code: 'azure_version',
      kind: 'link',
      rarity: 1,
      sentence: (what) => `The string to sign is that of version ${what}, and the link names another version in sv.`,
      remedy: 'Use the string to sign of the version that sv names: its lines differ from version to version.',
      variants: versions,
    },
    {
      code: 'azure_account',
      kind: 'text',
      rarity: 1,
      sentence: 'The link was signed for another storage account than the one of the key.',
      remedy: 'Sign with name and key of the same account.',
      variants: () =>
        rewrites(
          resource((service, _, path, { url }) => `/${service}/${hostAccount(url)}${path}`),
          resource((service, _, path) => `/${service}/devstoreaccount1${path}`),
          resource((service, account, path) => `/${service}/${account}/${account}${path}`),
          (text, { url }) => text.replace(/^[^\n]+/, () => hostAccount(url) ?? ''),
        ),
    },
    {
      code: 'azure_account',
      kind: 'request',
      rarity: 1,
      sentence: 'The host of the link belongs to another storage account than the key.',
      remedy: 'Use the key of the account that the host names.',
      variants: (attempt) =>
        urls(
          attempt,
          withOrigin(attempt.url, () => ''),
        ),
    },
    {
      code: 'azure_resource',
      kind: 'text',
      rarity: 1,
      sentence: 'The line for the resource is not /blob/ACCOUNT/CONTAINER/BLOB.',
      remedy: 'Write /blob/, the account, and the decoded path of the container or blob, without a slash at the end.',
      variants: () =>
        rewrites(
          resource((service, account, path) => `/${service}/${account}${path}/`),
          resource((_, account, path) => `/${account}${path}`),
          resource((service, account, path) => `${service}/${account}${path}`),
          resource((service, account, path, { url }) => `/${service}/${account}${path ? split(url).path : ''}`),
          resource((_, __, path) => path),
          resource((service, account, path) => `/${service}/${account}${path.replace(/^(\/[^/]*).*$/, '$1')}`),
          resource((service, account, path, { url }) => `/${service}/${account}${path}/${split(url).path.split('/').slice(2).join('/')}`),
          resource((service, account, path) => `/${service === 'blob' ? 'file' : 'blob'}/${account}${path}`),
        ),
    },
    {
      code: 'azure_kind',
      kind: 'link',
      rarity: 1,
      sentence: (what) => `The link was signed for another kind of resource: sr=${what}.`,
      remedy: 'Sign with sr=b for one blob, and with sr=c and the container alone for all blobs of a container.',
      variants: (attempt) =>
        value(attempt, 'sr') === ''
          ? []
          : ['c', 'b'].filter((kind) => kind !== value(attempt, 'sr')).flatMap((kind) => kindVariants(attempt, kind)),
    },
    {
      code: 'azure_permissions',
      kind: 'text',
      rarity: 2,
      sentence: 'The permissions were signed in another order than the link has them.',
      remedy: "Write the permissions in Azure's order, racwdxltmeop, before signing.",
      variants: (attempt) => {
        const written = value(attempt, 'sp')
        const others = [inOrder(written), [...written].reverse().join('')].filter((other) => other !== written)
        return rewrites(
          ...others.map(
            (other) => (text: string) =>
              text
                .split('\n')
                .map((line) => (line === written ? other : line))
                .join('\n'),
          ),
        )
      },
    },
    {
      code: 'azure_escaped',
      kind: 'text',
      rarity: 1,
      sentence: 'The values were signed percent-encoded, as they stand in the link.',
      remedy: 'Sign the decoded values, and encode them when they are put into the link.',
      variants: () =>
        rewrites(
          (text) => text.replaceAll(':', '%3A'),
          (text) => text.replace(/^\d{4}-.*$/gm, encodeURIComponent),
          resource((service, account, path) => `/${service}/${account}${path.split('/').map(encodeURIComponent).join('/')}`),
        ),
    },
    {
      code: 'azure_time',
      kind: 'text',
      rarity: 2,
      sentence: 'A time was signed in another form than the link has it, with or without seconds or fractions of a second.',
      remedy: 'Format the time once, as 2030-01-01T00:00:00Z, and use the same text for signing and for the link.',
      // All times of the link, and each of the first two alone: clients add seconds where they are missing.
      variants: () => rewrites(...TIMES.flatMap((change) => [change(/^.*$/gm), change(TIME, 0), change(TIME, 1)])),
    },
    {
      code: 'azure_lines',
      kind: 'text',
      rarity: 1,
      sentence: 'The string that was signed lacks empty lines, or has too many at its end.',
      remedy: 'Keep a line for every field of the version, even for those without a value.',
      variants: () =>
        rewrites(
          (text) => text.replace(/\n+$/, ''),
          (text) => text.replace(/\n{2,}/g, '\n'),
          ...['\n\n', '\n\n\n', '\n\n\n\n', '\n\n\n\n\n'].map((end) => (text: string) => text + end),
          ...[2, 3, 4, 5].map((count) => (text: string) => (text.endsWith('\n'.repeat(count)) ? text.slice(0, -count) : undefined)),
          (text) => text.replace(/\n\n/, '\n'),
        ),
    },
  ],
  options: (_, { pathStyle = false }) => [{ option: 'pathStyle', value: !pathStyle }],
  refused: (reason, claims, attempt) => (reason === 'wrong_method' ? notPermitted(claims, attempt) : undefined),
}

/** Permissions decide the methods. */
function notPermitted({ methods = [] }: Claims, attempt: Attempt): Mistake {
  const { method, url } = attempt
  const permissions = value(attempt, 'sp').slice(0, 20) || 'those of its stored access policy'
  const opened = methods.join(' and ') || 'no method at this URL'
  const sentence = `The permissions of the link, ${permissions}, open ${opened}, and the request is ${method.slice(0, 20)}.`
  const needed = NEEDED[method]
  const isFolder = ['c', 's'].includes(value(attempt, 'sr')) && split(url).path.replace(/\/$/, '').split('/').length === 2
  const ofFolder =
    'This is the URL of a container: append the name of a blob, or restype=container&comp=list for a list of its blobs, which needs the permission l.'
  return {
    code: 'wrong_method',
    sentence,
    remedy: isFolder
      ? ofFolder
      : needed
        ? `Sign the link with the permission ${needed}, such as permissions: '${needed[0]}'.`
        : 'A link of Azure opens GET, HEAD, PUT and DELETE. Azure answers OPTIONS by its CORS rules, without a link.',
  }
}

const NEEDED: Readonly<Record<string, string>> = {
  GET: 'r',
  HEAD: 'r',
  PUT: 'w, or c for new blobs',
  DELETE: 'd',
}

const hostAccount = (url: string): string | undefined => /^https?:\/\/([a-z\d-]+)\./i.exec(split(url).origin)?.[1]

/** The string of another version, with the version of the link in it or its own. */
function versions(attempt: Attempt): readonly Variant[] {
  const named = value(attempt, 'sv')
  return VERSIONS.filter((version) => version !== named).flatMap((version) => {
    const url = withValue(attempt.url, 'sv', version)
    return [
      { what: version, patch: { url, rewrite: (text: string) => text.replace(version, named) } },
      { what: version, patch: { url } },
    ]
  })
}

/** The string for another kind of resource, with the kind of the link in it or its own. */
function kindVariants(attempt: Attempt, kind: string): readonly Variant[] {
  const named = value(attempt, 'sr')
  const url = withValue(attempt.url, 'sr', kind)
  const asNamed = (text: string) =>
    text
      .split('\n')
      .map((line) => (line === kind ? named : line))
      .join('\n')
  return [
    { what: kind, patch: { url } },
    { what: kind, patch: { url, rewrite: asNamed } },
    { what: kind, patch: { url: withPath(url, (path) => path.replace(/^(\/[^/]+).*$/, '$1')) ?? url } },
  ]
}
