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
  const words = `:${address.replace(/^\[(.*)\]$/, '$1').replace(/%[\w.-]+$/, '')}`
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

/** Does the address lie in the network, or in the range `a-b`? No IPv4 address lies in an IPv6 network. */
export function contains(network: string, address: string | undefined): boolean {
  const [first, last = first] = network.split('-').map(parseNetwork)
  const digits = first && networkOf(address, first.bits)?.digits
  return digits !== undefined && last?.bits === first?.bits && digits >= (first as Network).digits && digits <= (last as Network).digits
}

// How a dual-stack socket reports IPv4: ::ffff:a.b.c.d
const V4 = '00000000000000000000ffff'

const ZERO = ' 0000'

// No leading zeros in IPv4: some parsers read 010 as eight.
const DOTTED = /:((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/

/**
 * An address as servers print it: IPv6 in lower case and compressed (RFC 5952), with the last 32 bits dotted where the C libraries and NGINX do
 * so, without brackets and zone. `::ffff:1.2.3.4` stays apart from `1.2.3.4`. `undefined` for what is no address.
 */
export function printAddress(address: string): string | undefined {
  const digits = networkOf(address)?.digits
  if (!digits || !address.includes(':')) return digits && address
  const words = digits.match(/..../g)?.map((word) => Number(`0x${word}`)) as number[]
  // The longest run of two zeros or more; of equals the first.
  let zeros = { from: 0, count: 1 }
  for (let from = 0, count = 0; from < 8; from += count || 1) {
    for (count = 0; words[from + count] === 0; ) count++
    if (count > zeros.count) zeros = { from, count }
  }
  const { from, count } = zeros
  const [high = 0, low = 0] = words.slice(6)
  const dotted =
    count > 1 && !from && (count === 6 || (count === 5 && words[5] === 0xffff) || (count === 7 && low > 255 && (low & 255) !== 1))
  const print = (some: readonly number[]): string => some.map((word) => word.toString(16)).join(':')
  if (dotted) return `::${count === 5 ? 'ffff:' : ''}${[high >> 8, high & 255, low >> 8, low & 255].join('.')}`
  return count > 1 ? `${print(words.slice(0, from))}::${print(words.slice(from + count))}` : print(words)
}
