// Links with one changed character, at every place.
/** Every link that differs from this one in one character: replaced by a letter, a digit, a `%`, a `/` or an `&`, left out, or doubled. */
export function tampered(link: string): { changed: string; at: number }[] {
  return [...link].flatMap((is, at) => {
    const [front, back] = [link.slice(0, at), link.slice(at + 1)]
    const others = ['x', '1', '2', '%', '/', '&', '=', '+'].filter((other) => other !== is)
    return [...others.map((other) => front + other + back), front + back, front + is + is + back]
      .filter((changed) => changed !== link)
      .map((changed) => ({ changed, at }))
  })
}

/** Texts that no signer wrote, from the pieces of links: `read` and `verify` must not throw on any. */
export function oddTexts(pieces: readonly string[], count: number, random: () => number): string[] {
  const more = ['?', '&', '=', '%', '%ff', '%00', '/', '#', '[', ']', '\ud800', '\\', 'ü', ' ', '+', '0', '-', '.', '', ...pieces]
  const pick = () => more[Math.floor(random() * more.length)] as string
  return Array.from({ length: count }, () => `${random() < 0.5 ? '/a?' : ''}${Array.from({ length: 1 + random() * 12 }, pick).join('')}`)
}

/** Random numbers from 0 to 1, the same ones for the same seed. */
export function randomly(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return ((state >> 8) & 0xffff) / 0x10000
  }
}
