// securelink/recognise: which scheme made a link and when it expires, without a key.
export { recognise } from './recognise/reader.ts'
export type { Recognised } from './recognise/rule.ts'
