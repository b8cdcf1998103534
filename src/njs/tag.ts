// HMAC with njs's own crypto, in base64url, and a comparison of signatures.
interface Digest {
  update(text: string): Digest
  digest(form: 'base64url'): string
}
declare const require: (name: 'crypto') => {
  createHmac(hash: 'sha256', key: string): Digest
  createHash(hash: 'sha256'): Digest
}

// Not at the top level, because Node must be able to import this module, too.
// biome-ignore lint/style/useNodejsImportProtocol: njs has this name only
const crypto = () => require('crypto')

/** HMAC-SHA-256, as base64url. */
export function tagOf(secret: string, text: string): string {
  return crypto().createHmac('sha256', secret).update(text).digest('base64url')
}

/** Compares hashes that nobody can predict without the secret, so that the time reveals nothing. */
export function same(secret: string, right: string, given: string): boolean {
  const blind = crypto()
    .createHash('sha256')
    .update(secret + right)
  const other = crypto()
    .createHash('sha256')
    .update(secret + given)
  return blind.digest('base64url') === other.digest('base64url')
}
