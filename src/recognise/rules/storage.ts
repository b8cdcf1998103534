// Rules for links into object storage: Amazon S3 and compatible services, Google, Azure, Alibaba, Huawei, Tencent, Volcengine. A new rule goes into the list.
import type { Rule } from '../rule.ts'
import { ANY, BASIC_TIME, basicTime, earliest, expiresRule, isoTime, jwtTimes, latest, SECONDS, unixTime } from '../values.ts'

// SigV4A has no region between the date and the service.
const AMAZON_CREDENTIAL = /\/s3[\w-]*\/aws4_request$/

// Methods, and the letters of permissions that allow them for blobs and files.
const AZURE_METHODS: Readonly<Record<string, RegExp>> = { DELETE: /d/, GET: /[rl]/, PUT: /[acw]/ }

/** `start;end` */
const COS_TIMES = /^\d{10};\d{10}$/

export const STORAGE: readonly Rule[] = [
  version4('s3', 'X-Amz-', AMAZON_CREDENTIAL),
  version4('gcs', 'X-Goog-'),
  version4('tos', 'X-Tos-'),
  version4('oss', 'x-oss-', /\/oss\/aliyun_v4_request$/),

  expiresRule('s3', 'AWSAccessKeyId'),
  expiresRule('gcs', 'GoogleAccessId'),
  expiresRule('oss', 'OSSAccessKeyId'),
  expiresRule('obs', 'AccessKeyId'),

  {
    vendor: 'azure',
    parameters: { sig: ANY, sv: /^\d{4}-\d\d-\d\d$/ },
    // Links to release files of GitHub have a token of GitHub's as well, `jwt`.
    optional: /^(s([eitprs]|ip|rt|pr|dd|es|k[tesv]|\w+id)|rsc.|tn|[es][pr]k|jwt)$/,
    read: (link) => {
      // A stored policy, `si`, can have the expiry; then the link itself does not show it.
      if (!(link.raw('se') ?? link.raw('si'))) return
      const token = jwtTimes(link.text('jwt'))
      return {
        // If the delegation key that signed the link expires first, the link expires with it.
        expires: earliest(isoTime(link.text('se')), isoTime(link.text('ske')), token?.expires),
        starts: latest(isoTime(link.text('st')), isoTime(link.text('skt')), token?.starts),
        methods: Object.keys(AZURE_METHODS).filter((method) => AZURE_METHODS[method]?.test(link.text('sp'))),
        ip: link.text('sip'),
      }
    },
  },

  {
    vendor: 'cos',
    parameters: { 'q-signature': /^[\da-f]{40}$/i, 'q-sign-time': COS_TIMES, 'q-key-time': COS_TIMES, 'q-ak': ANY },
    optional: /^(q-|x-cos-security-token$)/,
    read: (link) => {
      const [signStarts, signExpires] = link.text('q-sign-time').split(';').map(unixTime)
      const [keyStarts, keyExpires] = link.text('q-key-time').split(';').map(unixTime)
      return { expires: earliest(signExpires, keyExpires), starts: latest(signStarts, keyStarts), keyId: link.text('q-ak') }
    },
  },
]

/** Signature Version 4 and its dialects: a time of signing, a lifetime in seconds, and a credential that begins with the id of the key. */
function version4(vendor: string, prefix: string, credentialForm = ANY): Rule {
  // Alibaba writes all its names in lower case.
  const name = (word: string): string => prefix + (prefix === 'x-oss-' ? word.toLowerCase() : word)
  return {
    vendor,
    parameters: {
      [name('Signature')]: ANY,
      [name('Date')]: BASIC_TIME,
      [name('Expires')]: SECONDS,
      [name('Credential')]: credentialForm,
    },
    // `x-oss-process` says how to change the object, so it belongs to the resource.
    optional: new RegExp(`^${prefix}(?!process)`),
    read: (link) => {
      const expires = basicTime(link.text(name('Date'))) + +link.text(name('Expires')) * 1000
      return { expires, keyId: link.text(name('Credential')).split('/', 1)[0] }
    },
  }
}
