// Names of hosts beyond ASCII, from Punycode (RFC 3492) to text. The other direction is what `URL` does.

const BASE = 36
const T_MIN = 1
const T_MAX = 26

/** `bücher.example` for `xn--bcher-kva.example`. Labels that are not Punycode stay as they are. */
export function unicodeHost(host: string): string {
  return host
    .split('.')
    .map((label) => (/^xn--[a-z\d-]{1,59}$/i.test(label) ? (decoded(label.slice(4).toLowerCase()) ?? label) : label))
    .join('.')
}

/** RFC 3492, section 6.2. */
function decoded(text: string): string | undefined {
  const end = Math.max(0, text.lastIndexOf('-'))
  const letters = Array.from(text.slice(0, end), (letter) => letter.codePointAt(0) as number)
  let code = 128
  let place = 0
  let bias = 72
  for (let at = end && end + 1; at < text.length; ) {
    const before = place
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = Number.parseInt(text[at++] ?? '', BASE)
      if (Number.isNaN(digit)) return undefined
      // In Punycode letters come before digits: `a` is 0, and `0` is 26.
      const value = digit < 10 ? digit + 26 : digit - 10
      place += value * weight
      const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX)
      if (value < threshold) break
      weight *= BASE - threshold
    }
    bias = adapted(place - before, letters.length + 1, before === 0)
    code += Math.floor(place / (letters.length + 1))
    place %= letters.length + 1
    if (code > 0x10ffff) return undefined
    letters.splice(place++, 0, code)
  }
  return String.fromCodePoint(...letters)
}

/** RFC 3492, section 6.1. */
function adapted(delta: number, length: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / 700) : delta >> 1
  rest += Math.floor(rest / length)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + 38))
}
