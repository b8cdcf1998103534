declare module 'virtual:schemes' {
  const entries: readonly {
    // biome-ignore lint/suspicious/noExplicitAny: factories differ in their keys and options, and vectors are JSON
    readonly make: (keys: any, options?: any) => import('../../src/index.ts').Scheme
    readonly vectors: import('./vectors/index.ts').Vectors
  }[]
  export default entries
}
