// Rules for links into object storage: S3 and what speaks its protocol, Google, Azure, Alibaba, Tencent, Huawei.
import type { Rule } from '../rule.ts'
import { ANY, BASIC_TIME, basicTime, earliest, expiresRule, HEX64, isoTime, jwtTimes, latest, SECONDS, unixTime } from '../values.ts'

/** Signature Version 4 and its dialects: a start, a life in seconds, and a credential that begins with the key's id. */
function version4(vendor: string, prefix: string, signatureShape = ANY, credentialShape = ANY): Rule {
  // Alibaba writes all its names in lower case.
  const name = (word: string): string => prefix + (prefix === 'x-oss-' ? word.toLowerCase() : word)
  const [signature, date, expires, credential] = [name('Signature'), name('Date'), name('Expires'), name('Credential')]
  return {
    vendor,
    parameters: { [signature]: signatureShape, [date]: BASIC_TIME, [expires]: SECONDS, [credential]: credentialShape },
    // `x-oss-process` says how the object is to be changed, so it belongs to the resource.
    optional: new RegExp(`^${prefix}(?!process)`),
    read: (link) => ({
      expires: basicTime(link.text(date)) + +link.text(expires) * 1000,
      keyId: link.text(credential).split('/', 1)[0],
    }),
  }
}

// A hash in hexadecimal, or with SigV4A the DER form of an ECDSA signature on P-256.
const AMAZON_SIGNATURE = /^([\da-f]{64}|30[\da-f]{130,142})$/i
// SigV4A has no region between the date and the service.
const amazonVersion4 = version4('s3', 'X-Amz-', AMAZON_SIGNATURE, /\/s3[\w-]*\/aws4_request$/)
const googleVersion4 = version4('gcs', 'X-Goog-')
const alibabaVersion4 = version4('oss', 'x-oss-', HEX64, /\/oss\/aliyun_v4_request$/)

const azure: Rule = {
  vendor: 'azure',
  parameters: { sig: ANY, sv: /^\d{4}-\d\d-\d\d$/ },
  // GitHub's release files carry a token of its own beside Azure's.
  optional: /^(s([eitprs]|ip|rt|pr|dd|es|k[tesv]|\w+id)|rsc.|jwt)$/,
  read(link) {
    const ending = isoTime(link.text('se'))
    // A stored policy can have the end; then the link itself does not tell.
    if (Number.isNaN(ending) && (link.raw('se') !== undefined || !link.raw('si'))) return
    const token = jwtTimes(link.text('jwt'))
    const can = (letters: RegExp, method: string): string[] => (letters.test(link.text('sp')) ? [method] : [])
    return {
      // The link ends with the delegation key that signed it, if that ends first.
      expires: earliest(ending, isoTime(link.text('ske')), token?.expires),
      starts: latest(isoTime(link.text('st')), isoTime(link.text('skt')), token?.starts),
      methods: [...can(/d/, 'DELETE'), ...can(/[rl]/, 'GET'), ...can(/[acw]/, 'PUT')],
      ip: link.text('sip'),
    }
  },
}

const tencent: Rule = {
  vendor: 'cos',
  parameters: { 'q-signature': /^[\da-f]{40}$/i, 'q-sign-time': /^\d{10};\d{10}$/, 'q-ak': ANY },
  optional: /^(q-|x-cos-security-token$)/,
  read(link) {
    const [signStarts, signEnds, keyStarts, keyEnds] = `${link.text('q-sign-time')};${link.text('q-key-time')}`.split(';').map(unixTime)
    return { expires: earliest(signEnds, keyEnds), starts: latest(signStarts, keyStarts), keyId: link.text('q-ak') }
  },
}

export const STORAGE: readonly Rule[] = [
  amazonVersion4,
  expiresRule('s3', 'AWSAccessKeyId'),
  googleVersion4,
  expiresRule('gcs', 'GoogleAccessId'),
  alibabaVersion4,
  expiresRule('oss', 'OSSAccessKeyId'),
  azure,
  tencent,
]
