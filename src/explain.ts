// securelink/explain: why the signature of a link does not match, for people who have the key.

export type { Attempt, Patch } from './explain/attempt.ts'
export { type ExplainOptions, type Explanation, explain } from './explain/explain.ts'
export type { Mistake } from './explain/mistake.ts'
export type { Rule, Variant } from './explain/rule.ts'
export type { Make } from './explain/rules/all.ts'
export type { Obstacle, OptionChange, Table } from './explain/table.ts'
