// Remembers the latest answer of a function.

/** The same function, which remembers its latest answer: many links in a row are for one host, and signed in one second. */
export function withLatest<Argument, Answer>(work: (argument: Argument) => Answer): (argument: Argument) => Answer {
  let latest: { readonly argument: Argument; readonly answer: Answer } | undefined
  return (argument) => {
    if (!latest || latest.argument !== argument) latest = { argument, answer: work(argument) }
    return latest.answer
  }
}
