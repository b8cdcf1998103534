// Keepable: the type of the elements that keepFresh() takes. In its own file, so that a server can import the client without the types of the DOM.

/** An interface of the DOM, by its name; `never` where TypeScript does not know the DOM. */
type OfPage<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer Interface }> ? Interface : never

/** The elements of {@link keepFresh}: `<img>`, `<video>`, `<audio>`, `<a>`, and `<source>` in a `<video>`, `<audio>` or `<picture>`. */
export type Keepable = OfPage<'HTMLImageElement'> | OfPage<'HTMLMediaElement'> | OfPage<'HTMLAnchorElement'> | OfPage<'HTMLSourceElement'>
