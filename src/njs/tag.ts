// HMAC with njs's own crypto, for texts and base64url.
interface Digest {
  update(text: string): Digest
  digest(form: 'base64url'): string
}
declare const require: (name: 'crypto') => {
  createHmac(hash: 'sha256', key: string): Digest
  createHash(hash: 'sha256'): Digest
}

// Not at the top, because Node must be able to import the module, too.
// biome-ignore lint/style/useNodejsImportProtocol: njs has this name only
const crypto = () => require('crypto')

/** HMAC-SHA-256, as base64url. */
export function tagOf(secret: string, text: string): string {
  return crypto().createHmac('sha256', secret).update(text).digest('base64url')
}

/** Compares as hashes that nobody without the secret can foresee, so that the time it takes tells nothing. */
export function same(secret: string, right: string, given: string): boolean {
  const blind = crypto()
    .createHash('sha256')
    .update(secret + right)
  const other = crypto()
    .createHash('sha256')
    .update(secret + given)
  return blind.digest('base64url') === other.digest('base64url')
}
