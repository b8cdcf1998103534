#!/usr/bin/env python3
"""Writes test/core/tags.json: HMAC tags of Python's hmac module, and changed tags that must be refused.

    python3 test/core/make_tags.py

The file has the form of Wycheproof's MacTest, and changes tags in the same ways as its hmac_*_test.json: single bits at the edges of bytes and
words, pairs of bits, all bits, highest and lowest bits, all zeros and all ones. Keys are shorter than a block, as long as the hash, and longer
than a block. Tags are whole and cut to a half.
"""

import hmac
import json
from pathlib import Path

FILE = Path(__file__).resolve().parent / 'tags.json'
HASHES = {'SHA1': 20, 'SHA256': 32, 'SHA384': 48, 'SHA512': 64}
# The empty message, and lengths around the ends of blocks of 64 and 128 bytes.
LENGTHS = [0, 1, 16, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 200]


def counted(length, start=0):
    return bytes((start + i) % 256 for i in range(length))


def flipped(tag, bits):
    changed = bytearray(tag)
    for bit in bits:
        changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def changes(tag):
    size = len(tag) * 8
    ends = [size - 8, size - 7, size - 2, size - 1]
    for bit in sorted({0, 1, 7, 8, 31, 32, 33, 63, 64, 71, 77, *ends}):
        yield f'Flipped bit {bit} in tag', flipped(tag, [bit])
    for pair in [(0, 64), (31, 63), (63, size - 1)]:
        yield f'Flipped bits {pair[0]} and {pair[1]} in tag', flipped(tag, pair)
    yield 'all bits of tag flipped', bytes(byte ^ 0xFF for byte in tag)
    yield 'Tag changed to all zero', bytes(len(tag))
    yield 'tag changed to all 1', b'\xff' * len(tag)
    yield 'msbs changed in tag', bytes(byte ^ 0x80 for byte in tag)
    yield 'lsbs changed in tag', bytes(byte ^ 0x01 for byte in tag)


def group(name, size, key, lengths, with_changes):
    tests = []

    def add(comment, msg, tag, result):
        tests.append({'comment': comment, 'key': key.hex(), 'msg': msg.hex(), 'tag': tag.hex(), 'result': result})

    for length in lengths:
        msg = counted(length, start=length)
        tag = hmac.new(key, msg, name.lower()).digest()[:size]
        add(f'{length} bytes', msg, tag, 'valid')
        if with_changes and length in (0, 16):
            for comment, changed in changes(tag):
                add(comment, msg, changed, 'invalid')
    return {'type': 'MacTest', 'keySize': len(key) * 8, 'tagSize': size * 8, 'tests': tests}


def main():
    files = []
    for name, whole in HASHES.items():
        groups = [
            made
            for size in (whole, whole // 2)
            for made in (
                group(name, size, counted(whole), LENGTHS, True),
                group(name, size, counted(whole // 2, 7), [0, 16, 64], False),
                group(name, size, counted(150, 9), [0, 16, 64], False),
            )
        ]
        files.append({'algorithm': f'HMAC{name}', 'testGroups': groups})
    # One test on a line.
    text = json.dumps(files, indent=1)
    FILE.write_text(compact(text) + '\n')


def compact(text):
    import re

    return re.sub(r'\{\s+("comment"[^}]*?)\s+\}', lambda found: '{ ' + re.sub(r'\s*\n\s*', ' ', found[1]) + ' }', text)


main()
