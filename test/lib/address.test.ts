// Addresses and networks against node:net, which reads them with the C library's rules, and against its BlockList.
import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contains, networkOf, parseNetwork, printAddress } from '../../src/lib/address.ts'

const seed = Number(process.env['SEED'] ?? 4291)

describe('the forms of RFC 4291, section 2.2', () => {
  test.each([
    ['ABCD:EF01:2345:6789:ABCD:EF01:2345:6789', 'abcdef0123456789abcdef0123456789'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['2001:DB8::8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['FF01:0:0:0:0:0:0:101', 'ff010000000000000000000000000101'],
    ['FF01::101', 'ff010000000000000000000000000101'],
    ['::1', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['1::', '00010000000000000000000000000000'],
    ['0:0:0:0:0:0:13.1.68.3', '0000000000000000000000000d014403'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    // `::` stands for one group, too.
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['[::1]', '00000000000000000000000000000001'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['[fe80::1%25eth0.7]', 'fe800000000000000000000000000001'],
  ])('%s', (address, digits) => expect(networkOf(address)).toEqual({ bits: 128, digits }))

  test.each(['203.0.113.7', '::ffff:203.0.113.7', '::FFFF:cb00:7107', '0:0:0:0:0:ffff:203.0.113.7', '[203.0.113.7%eth0]'])(
    '%s is an IPv4 address',
    (address) => expect(networkOf(address)).toEqual({ bits: 32, digits: '00000000000000000000ffffcb007107' }),
  )
})

describe('texts that are not addresses', () => {
  test.each([
    '',
    ' ',
    // Spaces, of which the first two made links for other addresses.
    ': ffff:203.0.113.7',
    '0: 0000',
    ' ::1',
    '::1 ',
    ':: 1',
    '::ffff: 203.0.113.7',
    '1 2 3 4 5 6 7 8',
    ' 0000 0000 0000 0000 0000 0000 0000 0001',
    '203.0.113.7 ',
    ' 203.0.113.7',
    '203.0.113.7\n',
    '::1\n',
    '\t::1',
    // Leading zeros, too few and too many.
    '203.0.113.07',
    '203.0.113.007',
    '203.0.113',
    '203.0.113.7.',
    '.203.0.113.7',
    '203.0.113.7.1',
    '203.0.113.256',
    '203.0..113',
    '0x7f.0.0.1',
    '2130706433',
    ':',
    ':::',
    '::::',
    '1::2::3',
    '::1::',
    '1:::2',
    ':1',
    '1:',
    ':1::',
    '::1:',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '::1:2:3:4:5:6:7:8',
    '00001::',
    'g::',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:1.2.3.4::',
    '::ffff:1.2.3',
    '::ffff:1.2.3.04',
    '::ffff:1.2.3.4.5',
    '1:2:3:4:5:6:7:1.2.3.4',
    // Brackets that do not match, and zones without a name.
    '[::1',
    '::1]',
    '[[::1]]',
    '[]',
    '::1%',
    '%eth0',
    '::1%eth 0',
    '::1%eth0%eth1',
    '::1/64',
    'localhost',
    'unknown',
    '203.0.113.7, 10.0.0.1',
    '٢٠٣.0.113.7',
    '::１',
  ])('%j', (text) => {
    expect(networkOf(text)).toBeUndefined()
    expect(printAddress(text)).toBeUndefined()
    expect(contains('::/0', text) || contains('0.0.0.0/0', text)).toBe(false)
  })

  test('a text of a million characters', () => {
    for (const text of ['1:'.repeat(500_000), '::'.repeat(500_000), '1.'.repeat(500_000), '['.repeat(1_000_000), '%a'.repeat(500_000)])
      expect(networkOf(text)).toBeUndefined()
  })
})

describe('networks', () => {
  test.each<[string, number, string]>([
    ['203.0.113.0/24', 24, '00000000000000000000ffffcb0071'],
    ['203.0.113.77/25', 25, '00000000000000000000ffffcb00710'],
    ['203.0.113.255/25', 25, '00000000000000000000ffffcb00718'],
    ['0.0.0.0/0', 0, '00000000000000000000ffff'],
    ['203.0.113.7/32', 32, '00000000000000000000ffffcb007107'],
    ['::ffff:203.0.113.0/120', 24, '00000000000000000000ffffcb0071'],
    ['::ffff:0:0/96', 0, '00000000000000000000ffff'],
    ['2001:db8::/32', 32, '20010db8'],
    ['2001:dbf::/31', 31, '20010dbe'],
    ['::/0', 0, ''],
    ['::1/128', 128, '00000000000000000000000000000001'],
    ['::1', 128, '00000000000000000000000000000001'],
  ])('%s', (text, bits, digits) => expect(parseNetwork(text)).toEqual({ bits, digits }))

  test.each([
    '203.0.113.0/33',
    '203.0.113.0/024',
    '203.0.113.0/-1',
    '203.0.113.0/',
    '203.0.113.0/ 24',
    '203.0.113.0/24 ',
    '203.0.113.0/24/24',
    '203.0.113.0/255.255.255.0',
    '::/129',
    '::ffff:0:0/95',
    '/24',
    ': ffff:203.0.113.7',
    '0: 0000/64',
  ])('%j is not a network', (text) => expect(parseNetwork(text)).toBeUndefined())

  test('ranges', () => {
    for (const address of ['203.0.113.7', '203.0.113.9', '::ffff:203.0.113.8'])
      expect(contains('203.0.113.7-203.0.113.9', address), address).toBe(true)
    for (const address of ['203.0.113.6', '203.0.113.10', '0:1::', '::', 'cb00:7108::', undefined])
      expect(contains('203.0.113.7-203.0.113.9', address), address).toBe(false)
    // From an IPv6 network to an IPv4 address of as many bits.
    expect(contains('::/32-1.2.3.4', '::1')).toBe(false)
    for (const range of ['203.0.113.7-', '-203.0.113.7', '203.0.113.7-203.0.113.9-', '203.0.113.7-203.0.113.8-203.0.113.9'])
      expect(contains(range, '203.0.113.7'), range).toBe(false)
  })
})

describe(`against node:net, SEED=${seed}`, () => {
  const group = fc.oneof(
    fc.constantFrom('0', '1', 'ffff', 'FFFF', 'a', '00', '0000', '00000', 'g', ''),
    fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16)),
  )
  const octet = fc.oneof(fc.constantFrom('0', '7', '255', '256', '01', '00', ''), fc.nat(255).map(String))
  const dotted = fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.'))
  const valid4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((octets) => octets.join('.'))
  // Mostly close to an address: up to nine groups, `::` anywhere, a dotted end, and one character too many.
  const near = fc
    .tuple(fc.array(group, { maxLength: 9 }), fc.option(fc.nat(9)), fc.option(fc.oneof(dotted, valid4)))
    .map(([groups, gap, end]) => {
      const all = end === null ? groups : [...groups, end]
      if (gap === null || gap > all.length) return all.join(':')
      return `${all.slice(0, gap).join(':')}::${all.slice(gap).join(':')}`
    })
  const spoiled = fc
    .tuple(near, fc.nat(), fc.constantFrom(' ', ':', '.', '0', '[', '/', '-', 'g', '\n', '\0'))
    .map(([text, at, character]) => {
      const where = at % (text.length + 1)
      return text.slice(0, where) + character + text.slice(where)
    })
  // Zones have tests above: node:net takes some with colons.
  const text = fc.oneof(near, spoiled, dotted, valid4, fc.string({ unit: fc.constantFrom(...'01f:.: ') }))

  test('reads what isIP reads, and nothing else', () => {
    let addresses = 0
    fc.assert(
      fc.property(text, (text) => {
        const kind = isIP(text)
        addresses += +(kind > 0)
        expect(networkOf(text) !== undefined, JSON.stringify(text)).toBe(kind > 0)
      }),
      { seed, numRuns: 10_000 },
    )
    expect(addresses).toBeGreaterThan(1500)
  })

  const address4 = fc.oneof(valid4, fc.constantFrom('203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'))
  const address6 = fc.oneof(
    fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }).map((groups) => groups.map((group) => group.toString(16)).join(':')),
    fc.constantFrom('2001:db8::', '2001:db8::1', '2001:db8:0:ffff::', '2001:db7:ffff::', '::1', '::', '::1.2.3.4'),
  )

  test.each([
    ['ipv4', 32, address4],
    ['ipv6', 128, address6],
  ] as const)('contains what a BlockList of %s contains', (family, most, addresses) => {
    fc.assert(
      fc.property(addresses, addresses, fc.nat(most), fc.boolean(), (network, other, bits, near) => {
        const list = new BlockList()
        list.addSubnet(network, bits, family)
        const address = near ? network : other
        expect(contains(`${network}/${bits}`, address)).toBe(list.check(address, family))
        if (family === 'ipv4') expect(contains(`${network}/${bits}`, `::ffff:${address}`)).toBe(list.check(address, family))
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('an address of the other family lies in no network', () => {
    fc.assert(
      fc.property(address4, address6, fc.nat(32), (four, six, bits) => {
        expect(contains(`${four}/${bits}`, six)).toBe(false)
        expect(contains(`${six}/${bits}`, four)).toBe(false)
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('prints an address that reads as the same one, in one spelling', () => {
    fc.assert(
      fc.property(fc.oneof(address4, address6), (address) => {
        const printed = printAddress(address) as string
        expect(networkOf(printed)).toEqual(networkOf(address))
        expect(printAddress(printed.toUpperCase())).toBe(printed)
        expect(isIP(printed)).toBe(isIP(address))
      }),
      { seed, numRuns: 2000 },
    )
  })
})

test.each([
  // The last 32 bits are dotted where inet_ntop of the C libraries does so.
  ['::1.2.3.4', '::1.2.3.4'],
  ['::102:304', '::1.2.3.4'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['::FFFF:102:304', '::ffff:1.2.3.4'],
  ['1.2.3.4', '1.2.3.4'],
  // Of seven groups of zeros: ngx_inet6_ntop of NGINX writes dots unless the third byte is 0 or the fourth is 1.
  ['::102', '::0.0.1.2'],
  ['::100', '::0.0.1.0'],
  ['::101', '::101'],
  ['::ff01', '::ff01'],
  ['::ff', '::ff'],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['[FE80::1%eth0]', 'fe80::1'],
])('%s is printed as %s', (address, printed) => expect(printAddress(address)).toBe(printed))
