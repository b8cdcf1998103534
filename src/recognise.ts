// What `securelink/recognise` exports: which scheme made a link, and until when it is valid, without a key.
export { recognise } from './recognise/reader.ts'
export type { Recognised, RecognisedClaims } from './recognise/rule.ts'
