// Upload forms: Amazon's and Google's names for the fields that sign them, and the JSON of their policies.
import type { PostForm } from '../../core/scheme.ts'
import type { FormWords } from './sigv4.ts'

/** As @aws-sdk/s3-presigned-post. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
export const AWS4_FORM: FormWords = {
  names: /* @__PURE__ */ fieldNames('X-Amz-', 'Policy'),
  order: ['bucket', 'algorithm', 'credential', 'date', 'securityToken', 'key'],
  policyText: (expiration, conditions) => JSON.stringify({ expiration, conditions }),
}

/** As @google-cloud/storage. https://cloud.google.com/storage/docs/authentication/signatures#policy-document */
export const GOOG4_FORM: FormWords = {
  names: /* @__PURE__ */ fieldNames('x-goog-', 'policy'),
  order: ['bucket', 'key', 'date', 'credential', 'algorithm'],
  policyText: (expiration, conditions) => asAscii(JSON.stringify({ conditions, expiration })),
}

function fieldNames(prefix: string, policy: string): PostForm['names'] {
  // Amazon begins each word with a capital letter.
  const named = (word: string) => prefix + (prefix === 'X-Amz-' ? word : word.toLowerCase())
  return {
    algorithm: named('Algorithm'),
    credential: named('Credential'),
    date: named('Date'),
    securityToken: named('Security-Token'),
    policy,
    signature: named('Signature'),
  }
}

/** Google's policies are ASCII: other characters are escaped as UTF-16. */
function asAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
