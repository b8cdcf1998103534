// IP addresses and networks: RFC 4291 text forms, CIDR, and IPv4-mapped IPv6 as the IPv4 address that it is.

/** An address or network. */
export interface Network {
  /** How many leading bits count: at most 32 for IPv4, 128 for IPv6. */
  readonly bits: number
  /** Those bits as hex digits, of the IPv6 address or of `::ffff:a.b.c.d`; the last digit is filled up with zeros. */
  readonly digits: string
}

/** Reads `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`, `[::1]` or `fe80::1%eth0`; `undefined` for everything else. */
export function parseNetwork(text: string): Network | undefined {
  const [, address, length] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
  const whole = networkOf(address)
  // What is written as IPv6 counts its bits so, also when it is an IPv4 address.
  return whole && length ? networkOf(address, +length - (text.includes(':') ? 128 - whole.bits : 0)) : whole
}

/** The network of `bits` bits (all of them by default) that an address lies in; `undefined` when it is no address or has fewer bits. */
export function networkOf(address = '', bits?: number): Network | undefined {
  // Without the brackets of a URL, and the zone, which names an interface of this machine.
  const words = `:${address.replace(/^\[|%[\w.-]+$|\]$/g, '')}`
    .replace(/^:(?=\d+\.)/, ':::ffff:')
    .replace(DOTTED, (dotted) => dotted.replace(/[:.](\d+)\.(\d+)/g, (_, a, b) => `:${(a * 256 + +b).toString(16)}`))
    .replace(/:([\da-f]{1,4})(?![^:])/gi, (_, word) => ` ${word.padStart(4, '0')}`)
  // What is left of `::`, each word having taken the colon before it.
  const all = words.replace(/(^:|\b):(:$|(?= ))/, (gap) => ZERO.padEnd(40 - words.length + gap.length, ZERO))
  if (!/^( [\da-f]{4}){8}$/i.test(all)) return
  const digits = all.replaceAll(' ', '').toLowerCase()
  const most = digits.startsWith(V4) ? 32 : 128
  const size = bits ?? most
  const count = size + 128 - most
  const rest = count & 3
  if (size < 0 || size > most) return
  return { bits: size, digits: digits.slice(0, count >> 2) + (rest ? (+`0x${digits[count >> 2]}` & (240 >> rest)).toString(16) : '') }
}

/** Does the address lie in the network? No IPv4 address lies in an IPv6 network. */
export function contains(network: string, address: string | undefined): boolean {
  const wanted = parseNetwork(network)
  return wanted !== undefined && networkOf(address, wanted.bits)?.digits === wanted.digits
}

// How a dual-stack socket reports IPv4: ::ffff:a.b.c.d
const V4 = '00000000000000000000ffff'

const ZERO = ' 0000'

// No leading zeros in IPv4: some parsers read 010 as eight.
const DOTTED = /:((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/
