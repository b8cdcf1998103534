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
  // A network that is written as IPv6 counts 128 bits, also when it is an IPv4 address.
  return whole && length ? networkOf(address, +length - (text.includes(':') ? 128 - whole.bits : 0)) : whole
}

/** The network of `bits` bits (all of them by default) that an address lies in; `undefined` if it is not an address or has fewer bits. */
export function networkOf(text = '', bits?: number): Network | undefined {
  // Without the brackets of a URL, and without the zone, which names an interface of this machine.
  const address = text.replace(/^\[(.*)\]$/, '$1').replace(/%[\w.-]+$/, '')
  const digits = groupsOf(address)
    ?.map((group) => group.toLowerCase().padStart(4, '0'))
    .join('')
  if (!digits) return
  const most = digits.startsWith(MAPPED) ? 32 : 128
  const size = bits ?? most
  if (size < 0 || size > most) return
  // An IPv4 address is the last 32 of 128 bits.
  const count = size + 128 - most
  const rest = count & 3
  return { bits: size, digits: digits.slice(0, count >> 2) + (rest ? (+`0x${digits[count >> 2]}` & (240 >> rest)).toString(16) : '') }
}

// Without leading zeros, because some parsers read 010 as eight.
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

const GROUP = /^[\da-f]{1,4}$/i

// How a dual-stack socket reports IPv4: ::ffff:a.b.c.d
const MAPPED = '00000000000000000000ffff'

/** The eight groups of an address, in hex: of IPv6 in one of the three forms of RFC 4291, section 2.2, and of IPv4 as `::ffff:a.b.c.d`. */
function groupsOf(address: string): string[] | undefined {
  const last = address.lastIndexOf(':') + 1
  const end = address.slice(last)
  const text = IPV4.test(end) ? (address.slice(0, last) || '::ffff:') + hexOf(end) : address
  const [left = '', right, more] = text.split('::')
  const before = left ? left.split(':') : []
  const after = right ? right.split(':') : []
  const zeros = 8 - before.length - after.length
  // `::` occurs at most once, and stands for one group of zeros or more.
  if (more !== undefined || (right === undefined ? zeros !== 0 : zeros < 1)) return
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return groups.every((group) => GROUP.test(group)) ? groups : undefined
}

/** An IPv4 address as the last two groups of an IPv6 address. */
function hexOf(address: string): string {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number]
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

/** Does the address lie in the network, or in the range `a-b`? No IPv4 address lies in an IPv6 network. */
export function contains(network: string, address: string | undefined): boolean {
  const ends = network.split('-').map(parseNetwork)
  const first = ends[0]
  const last = ends[ends.length - 1]
  if (!first || !last || ends.length > 2) return false
  const digits = networkOf(address, first.bits)?.digits
  // Strings of digits of one length sort like the addresses. IPv4 and IPv6 networks of the same size differ in length.
  const comparable = digits?.length === first.digits.length && digits.length === last.digits.length
  return comparable && digits >= first.digits && digits <= last.digits
}

/**
 * An address as servers print it: IPv6 in lower case and compressed (RFC 5952), with the last 32 bits dotted where the C libraries and NGINX do
 * so, without brackets and zone. `::ffff:1.2.3.4` stays apart from `1.2.3.4`. `undefined` for text that is not an address.
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
