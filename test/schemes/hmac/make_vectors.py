#!/usr/bin/env python3
"""Writes test/conformance/vectors/hmac.json. Links, strings and claims come from securelink.py, the results are stated here.

    python3 test/schemes/hmac/make_vectors.py

The program stops if securelink.py gives another result, so each vector is checked twice against the page. Half surrogate pairs are not
among the vectors, because some JSON parsers refuse them: they are in hmac.python.test.ts.
"""

import json
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.dont_write_bytecode = True
import securelink  # noqa: E402

FILE = Path(__file__).resolve().parent.parent.parent / 'conformance' / 'vectors' / 'hmac.json'
SECRET = '0123456789abcdef0123456789abcdef'
OTHER = 'another secret of thirty-two byte'
NOW = '2027-01-15T08:00:00Z'  # 1800000000
EXPIRES = '2030-03-17T17:46:40Z'  # 1900000000
REPORT = 'https://cdn.example/report.pdf?page=2'
VIDEO = 'https://cdn.example/videos/42/1.ts'

NOTES = {
    'Plain': ('FUNCTIONALITY', 'An ordinary link.'),
    'Unsigned': ('FUNCTIONALITY', 'The URL has no parameters of the link, or only look-alikes.'),
    'Tampered': ('AUTH_BYPASS', 'Something that is covered was changed, added or taken away.'),
    'Repeated': ('AUTH_BYPASS', 'A parameter of the link occurs twice; programs that take the first and the last one differ.'),
    'Form': ('ENCODING', 'A parameter is not of its form, though the signature over it may be good.'),
    'Respelled': ('ENCODING', 'The same signature in another spelling, which a lenient decoder would accept.'),
    'BadEscape': ('ENCODING', 'A broken escape, or bytes that are not UTF-8.'),
    'EscapedName': ('ENCODING', 'The name of a parameter is escaped.'),
    'Request': ('ENCODING', 'No client sends such a URL, and servers differ about it.'),
    'Sent': ('CANONICALISATION', 'A signer writes the URL as clients send it.'),
    'Reprinted': ('CANONICALISATION', 'Another program printed the URL, and all servers read it alike.'),
    'Apart': ('AUTH_BYPASS', 'Some server reads the two URLs differently: docs/spec.md, section 4, says which.'),
    'Unicode': ('CANONICALISATION', 'Characters beyond ASCII are escaped as their UTF-8 bytes.'),
    'DotSegments': ('CANONICALISATION', 'Dot segments are refused, empty segments stay.'),
    'Query': ('CANONICALISATION', 'Order, duplicates, empty pieces and empty values of the query.'),
    'Fragment': ('CANONICALISATION', 'A signer leaves a fragment at the end of the link. A request has none.'),
    'Clock': ('CLOCK', 'The seconds around a limit.'),
    'Tolerance': ('CLOCK', 'How far clocks may differ.'),
    'Align': ('CLOCK', 'The expiry is rounded up to a multiple of a duration.'),
    'Method': ('AUTH_BYPASS', 'The method is bound.'),
    'Address': ('AUTH_BYPASS', 'The network of the client is bound, and is not written in the link.'),
    'AddressForm': ('CANONICALISATION', 'Several spellings of one address.'),
    'Prefix': ('AUTH_BYPASS', 'The link opens a path and everything below, and nothing else.'),
    'Uses': ('REPLAY', 'The link has a number of uses.'),
    'Revoked': ('REPLAY', 'The link was revoked.'),
    'Rotation': ('ROTATION', 'Several keys, key ids, and the times of keys.'),
    'PathPlacement': ('FUNCTIONALITY', 'The parameters are a path segment.'),
    'Renamed': ('FUNCTIONALITY', 'The parameters have other names.'),
    'Ignore': ('FUNCTIONALITY', 'Parameters that others may add are not covered.'),
    'Purpose': ('AUTH_BYPASS', 'A link for one purpose is refused for another.'),
    'Origin': ('AUTH_BYPASS', 'Scheme, host and port are covered.'),
    'Order': ('FUNCTIONALITY', 'Several things are wrong, and the reason is the first in the order of section 7.'),
}

groups = []


def group(*keys, **options):
    groups.append({'options': options, 'keys': list(keys) or [{'secret': SECRET}], 'tests': []})


def settings_of(group):
    return dict(group['options'], keys=[securelink.moments(key) for key in group['keys']])


def moment(text):
    return datetime.fromisoformat(text.replace('Z', '+00:00'))


def after(text, seconds):
    return securelink.iso(moment(text) + timedelta(seconds=seconds))


def add(flag, comment, result, link, visit, **signing):
    visit = {'now': NOW, **visit}
    found, claims = securelink.verify(settings_of(groups[-1]), visit.get('url', link), securelink.moments(visit))
    if found != result:
        raise SystemExit(f'{comment}: {found}, not {result}: {visit.get("url", link)}')
    test = {'id': 1 + sum(len(g['tests']) for g in groups), 'comment': comment, 'flags': [flag], **signing, 'link': link, 'visit': visit,
        'result': result}
    if claims:
        test['claims'] = {name: securelink.iso(v) if isinstance(v, datetime) else v for name, v in claims.items()}
    groups[-1]['tests'].append(test)


def signed(flag, comment, result, url, conditions=None, change=None, at=NOW, **visit):
    """A link to be signed byte for byte and to be verified; `change` makes the visited URL from the link."""
    conditions = {'expires': EXPIRES, **(conditions or {})}
    settings = settings_of(groups[-1])
    link = securelink.sign(settings, url, securelink.moments(conditions), moment(at))
    parts, parameters = securelink.read(settings, link.partition('#')[0])
    text = '\n'.join(securelink.fields_of(settings, parts, parameters))
    if change:
        visit['url'] = changed(link, change)
    add(flag, comment, result, link, visit, url=url, conditions=conditions, signedAt=at, text=text)


def edited(flag, comment, result, change, url=REPORT, conditions=None, minted=None, **visit):
    """A visited text, made from a good link that need not be of this group."""
    settings = minted or settings_of(groups[-1])
    conditions = {'expires': EXPIRES, **(conditions or {})}
    link = securelink.sign(settings, url, securelink.moments(conditions), moment(NOW))
    add(flag, comment, result, changed(link, change), visit)


def forged(flag, comment, result, url, written, **visit):
    """A good signature over parameters that no signer would write: (name, value) or (name, value, how it stands in the link)."""
    settings = settings_of(groups[-1])
    entries = [entry if len(entry) == 3 else (*entry, securelink.encode(entry[1])) for entry in written]
    values = {name: value for name, value, _ in entries}
    origin, path, query, _ = securelink.split(url)
    size = len(securelink.pieces(query)) + len(values) + 1
    fields = securelink.fields_of(settings, securelink.rest(origin, path, query, size), values)
    signature = securelink.mac(settings['keys'][0], fields)
    text = '&'.join(f'{name}={shown}' for name, _, shown in entries)
    add(flag, comment, result, f'{url}{"&" if query else "?"}{text}&signature={signature}', visit)


def networked(link, network):
    """The link with another network signed in place of its own."""
    settings = settings_of(groups[-1])
    parts, parameters = securelink.read(settings, link)
    return link[:-43] + securelink.mac(settings['keys'][0], [*securelink.fields_of(settings, parts, parameters), network])


def changed(link, change):
    """`change` is a function, or pairs of old and new text."""
    if callable(change):
        return change(link)
    for old, new in change:
        if old not in link:
            raise SystemExit(f'nothing to change: {old} in {link}')
        link = link.replace(old, new, 1)
    return link


def without(name):
    def change(link):
        base, _, query = link.partition('?')
        return base + '?' + '&'.join(piece for piece in query.split('&') if not piece.startswith(name + '='))

    return change


def signature_as(change):
    def edit(link):
        base, mark, signature = link.rpartition('signature=')
        return base + mark + change(signature)

    return edit


ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'


def next_letter(signature):
    return signature[:-1] + ALPHABET[ALPHABET.index(signature[-1]) + 1]


# Plain links, and what is done to them

group()
signed('Plain', 'a link', 'ok', REPORT)
signed('Plain', 'a path with its query', 'ok', '/report.pdf?page=2')
signed('Plain', 'no query', 'ok', 'https://cdn.example/report.pdf')
signed('Plain', 'no path', 'ok', 'https://cdn.example')
signed('Plain', 'no path, but a query', 'ok', 'https://cdn.example?page=2')
signed('Plain', 'signed with its host, visited as a path', 'ok', REPORT, change=[('https://cdn.example', '')])
signed('Plain', 'scheme, host and port are not covered', 'ok', REPORT, change=[('https://cdn.example', 'http://10.0.0.7:8080')])
signed('Plain', 'all at once', 'ok', '/videos/42/1.ts?q=1', {'starts': NOW, 'method': ['PUT', 'GET'], 'ip': '203.0.113.0/24',
    'prefix': '/videos/', 'uses': 3, 'id': 'ab c'}, ip='203.0.113.7', redeemed=2)
signed('Plain', 'an id without uses', 'ok', REPORT, {'id': 'müller/42~'})
signed('Plain', 'the parameters in another order, and first', 'ok', REPORT,
    change=lambda link: '{}?signature={}&{}&page=2'.format('/report.pdf', link[-43:], 'expires=1900000000'))

edited('Unsigned', 'nothing', 'unsigned', lambda link: REPORT)
edited('Unsigned', 'a path', 'unsigned', lambda link: '/')
edited('Unsigned', 'an empty text', 'unsigned', lambda link: '')
edited('Unsigned', 'a name in another case', 'unsigned', [('expires', 'Expires'), ('signature', 'Signature')])
edited('Unsigned', 'other parameters of the link alone', 'unsigned', lambda link: '/report.pdf?key=1&id=2&uses=&net=x')
edited('Unsigned', 'parameters in the fragment', 'unsigned', [('?', '#')])
edited('Unsigned', 'parameters in the path', 'unsigned', [('report.pdf?page=2&', '')])
edited('Unsigned', 'text that is no URL', 'unsigned', lambda link: 'not a URL')
edited('Unsigned', 'name with a broken escape', 'unsigned', lambda link: '/?expires%=1&signature%zz=2')

signed('Tampered', 'another path', 'bad_signature', REPORT, change=[('report', 'secret')])
signed('Tampered', 'a path in another case', 'bad_signature', REPORT, change=[('report', 'Report')])
signed('Tampered', 'another value', 'bad_signature', REPORT, change=[('page=2', 'page=3')])
signed('Tampered', 'a parameter more', 'bad_signature', REPORT, change=[('page=2', 'page=2&admin=1')])
signed('Tampered', 'a parameter less', 'bad_signature', REPORT, change=[('page=2&', '')])
signed('Tampered', 'a later expiry', 'bad_signature', REPORT, change=[('1900000000', '1900000001')])
signed('Tampered', 'a start was added', 'bad_signature', REPORT, change=[('&signature', '&starts=1&signature')])
signed('Tampered', 'a start was taken away', 'bad_signature', REPORT, {'starts': NOW}, change=without('starts'))
signed('Tampered', 'a method was taken away', 'bad_signature', REPORT, {'method': 'POST'}, change=without('method'), method='POST')
signed('Tampered', 'a prefix was added', 'bad_signature', REPORT, change=[('&signature', '&prefix=%2F&signature')])
signed('Tampered', 'more uses', 'bad_signature', REPORT, {'uses': 1, 'id': 'a'}, change=[('uses=1', 'uses=2')], redeemed=0)
signed('Tampered', 'an id was changed', 'bad_signature', REPORT, {'id': 'a'}, change=[('id=a', 'id=b')])
signed('Tampered', 'net was taken away, with its half of the signature', 'bad_signature', REPORT, {'ip': '203.0.113.0/24'},
    change=lambda link: without('net')(link)[:-43])
signed('Tampered', 'a wider net', 'bad_signature', REPORT, {'ip': '203.0.113.0/24'}, change=[('net=24', 'net=8')], ip='203.0.113.7')
edited('Tampered', 'one bit of the signature', 'bad_signature', signature_as(lambda s: ('B' if s[0] == 'A' else 'A') + s[1:]))
edited('Tampered', 'a signature of zeros', 'bad_signature', signature_as(lambda s: 'A' * 43))
edited('Tampered', 'another secret', 'bad_signature', [], minted={'keys': [{'secret': OTHER}]})
edited('Tampered', 'the two halves swapped', 'bad_signature', signature_as(lambda s: s[43:] + s[:43]), conditions={'ip': '203.0.113.0/24'},
    ip='203.0.113.7')

edited('Repeated', 'expires twice, the same', 'malformed', lambda link: link + '&expires=1900000000')
edited('Repeated', 'expires twice, a later one', 'malformed', lambda link: link + '&expires=2000000000')
edited('Repeated', 'expires twice, the later one first', 'malformed', [('page', 'expires=2000000000&page')])
edited('Repeated', 'signature twice', 'malformed', lambda link: link + '&signature=' + link[-43:])
edited('Repeated', 'method twice', 'malformed', lambda link: link + '&method=PUT', conditions={'method': 'GET'})
edited('Repeated', 'expires twice, once with an escaped name', 'malformed', lambda link: link + '&%65xpires=2000000000')
edited('Repeated', 'uses twice, once empty', 'malformed', lambda link: link + '&uses=', conditions={'uses': 1, 'id': 'a'})

forged('Form', 'a start of zero', 'malformed', REPORT, [('expires', '1900000000'), ('starts', '0')])
forged('Form', 'milliseconds', 'malformed', REPORT, [('expires', '1900000000000')])
forged('Form', 'twelve digits', 'malformed', REPORT, [('expires', '190000000000')])
forged('Form', 'eleven digits', 'ok', REPORT, [('expires', '99999999999')])
forged('Form', 'a leading zero', 'malformed', REPORT, [('expires', '01900000000')])
forged('Form', 'zero', 'malformed', REPORT, [('expires', '0')])
forged('Form', 'not a number', 'malformed', REPORT, [('expires', 'never')])
forged('Form', 'a sign', 'malformed', REPORT, [('expires', '+1900000000')])
forged('Form', 'a negative number', 'malformed', REPORT, [('expires', '-1')])
forged('Form', 'a fraction', 'malformed', REPORT, [('expires', '1900000000.5')])
forged('Form', 'an exponent', 'malformed', REPORT, [('expires', '19e8')])
forged('Form', 'a hexadecimal number', 'malformed', REPORT, [('expires', '0x71400000')])
forged('Form', 'a space before the number', 'malformed', REPORT, [('expires', ' 1900000000')])
forged('Form', 'a line feed after the number', 'malformed', REPORT, [('expires', '1900000000\n')])
forged('Form', 'digits that are not ASCII', 'malformed', REPORT, [('expires', '١٩٠٠٠٠٠٠٠٠')])
forged('Form', 'an escaped digit', 'ok', REPORT, [('expires', '1900000000', '%31900000000')])
forged('Form', 'a method in lower case', 'malformed', REPORT, [('expires', '1900000000'), ('method', 'get')])
forged('Form', 'methods that are not sorted', 'ok', REPORT, [('expires', '1900000000'), ('method', 'PUT,GET')])
forged('Form', 'an empty method', 'malformed', REPORT, [('expires', '1900000000'), ('method', 'GET,')])
forged('Form', 'a space between methods', 'malformed', REPORT, [('expires', '1900000000'), ('method', 'GET, PUT')])
forged('Form', 'a raw comma', 'ok', REPORT, [('expires', '1900000000'), ('method', 'GET,PUT', 'GET,PUT')])
forged('Form', 'no uses', 'malformed', REPORT, [('expires', '1900000000'), ('uses', '0'), ('id', 'a')], redeemed=0)
forged('Form', 'ten digits of uses', 'malformed', REPORT, [('expires', '1900000000'), ('uses', '1000000000'), ('id', 'a')], redeemed=0)
forged('Form', 'uses without id', 'malformed', REPORT, [('expires', '1900000000'), ('uses', '1')], redeemed=0)
forged('Form', 'uses with an empty id', 'malformed', REPORT, [('expires', '1900000000'), ('uses', '1'), ('id', '')], redeemed=0)
forged('Form', 'an empty key', 'malformed', REPORT, [('expires', '1900000000'), ('key', '')])
forged('Form', 'an empty start', 'malformed', REPORT, [('expires', '1900000000'), ('starts', '')])
forged('Form', 'a prefix that does not begin with /', 'malformed', VIDEO, [('expires', '1900000000'), ('prefix', 'videos/')])
forged('Form', 'a prefix with dot segments', 'wrong_path', VIDEO, [('expires', '1900000000'), ('prefix', '/videos/../')])
forged('Form', 'a prefix with a character to be escaped', 'wrong_path', VIDEO, [('expires', '1900000000'), ('prefix', '/vid|eos/')])
forged('Form', 'a prefix with a needless escape', 'wrong_path', VIDEO, [('expires', '1900000000'), ('prefix', '/%76ideos/')])
forged('Form', 'a prefix with a question mark', 'wrong_path', VIDEO, [('expires', '1900000000'), ('prefix', '/videos?')])
forged('Form', 'a prefix with raw slashes', 'ok', VIDEO, [('expires', '1900000000'), ('prefix', '/videos/', '/videos/')])
forged('Form', 'net without the second half', 'malformed', REPORT, [('expires', '1900000000'), ('net', '24')], ip='203.0.113.7')
edited('Form', 'the second half without net', 'malformed', signature_as(lambda s: s + s))
edited('Form', 'net of four digits', 'malformed', [('net=24', 'net=0024')], conditions={'ip': '203.0.113.0/24'}, ip='203.0.113.7')
edited('Form', 'net that is not a number', 'malformed', [('net=24', 'net=/24')], conditions={'ip': '203.0.113.0/24'}, ip='203.0.113.7')
edited('Form', 'no signature', 'malformed', without('signature'))
edited('Form', 'no expires', 'malformed', without('expires'))
edited('Form', 'an empty signature', 'malformed', signature_as(lambda s: ''))
edited('Form', 'signature without =', 'malformed', lambda link: link[:-44])
edited('Form', 'an empty expires', 'malformed', [('1900000000', '')])
edited('Form', 'both empty', 'malformed', lambda link: '/?expires&signature')
edited('Form', 'a name that PHP and qs read as expires', 'malformed', lambda link: link + '&expires[]=2000000000')
edited('Form', 'a name that PHP and qs read as id, which the link does not have', 'malformed', lambda link: link + '&id%5Bx%5d')
edited('Form', 'a name that PHP reads as expires, with a space in front', 'malformed', lambda link: link + '&+%20expires=2000000000')
edited('Form', 'a name that PHP reads as expires, with a zero behind', 'malformed', lambda link: link + '&expires%00=2000000000')
edited('Form', 'a name that PHP and qs read as expires, without a link', 'unsigned', lambda link: '/?expires[]=1&signature[]=2')
signed('Form', 'names that only begin like those of the link', 'ok', '/?id_token=1&Expires=2&key.x=3&signatures[]=4&-id[]=5')
edited('Form', 'a relative URL', 'malformed', [('https://cdn.example/', '')])
edited('Form', 'a query alone', 'malformed', [('https://cdn.example/report.pdf', '')])
edited('Form', 'a user name', 'malformed', [('https://', 'https://user@')])
edited('Form', 'a name and a password', 'malformed', [('https://', 'https://user:word@')])
edited('Form', 'a scheme without //', 'malformed', [('https://', 'mailto:')])
edited('Form', 'an empty host', 'malformed', [('cdn.example', '')])
edited('Form', 'white space beyond ASCII in the host', 'malformed', [('cdn.example', 'cdn\u3000example')])
edited('Form', 'a zero-width no-break space in the host', 'malformed', [('cdn.example', 'cdn\ufeffexample')])
edited('Form', 'a control character in the host that is no white space', 'malformed', [('cdn.example', 'cdn\u0085example')])
edited('Form', 'a host beyond ASCII', 'malformed', [('cdn.example', 'bücher.example')])
edited('Form', 'a backslash in the host', 'malformed', [('cdn.example', 'cdn\\example')])
edited('Form', 'a space in the host', 'malformed', [('cdn.example', 'cdn example')])
edited('Form', 'a space in front', 'malformed', lambda link: ' ' + link)
edited('Form', 'too long', 'malformed', lambda link: link + '&x=' + 'y' * 20000)
edited('Form', 'too long, and not a link', 'malformed', lambda link: '/?' + 'x' * 20000)

edited('Respelled', 'padding', 'malformed', lambda link: link + '=')
edited('Respelled', 'escaped padding', 'malformed', lambda link: link + '%3D')
edited('Respelled', 'the unused bits of the last character are not zero', 'bad_signature', signature_as(next_letter))
edited('Respelled', 'the standard alphabet of base64: +', 'malformed', signature_as(lambda s: s.replace('-', '+')), url='/-',
    conditions={'id': '1'})
edited('Respelled', 'the standard alphabet of base64: /', 'malformed', signature_as(lambda s: s.replace('_', '/')), url='/_',
    conditions={'id': '3'})
edited('Respelled', 'a space at the end', 'malformed', lambda link: link + '%20')
edited('Respelled', 'a line feed at the end', 'malformed', lambda link: link + '%0A')
edited('Respelled', 'a space for a character', 'malformed', signature_as(lambda s: s[:-1] + '%20'))
edited('Respelled', 'hexadecimal', 'malformed', signature_as(lambda s: 'ab' * 32))
edited('Respelled', 'one escaped character', 'malformed', signature_as(lambda s: f'%{ord(s[0]):02x}' + s[1:]))
edited('Respelled', 'all characters escaped', 'malformed', signature_as(lambda s: ''.join(f'%{ord(c):02x}' for c in s)))
edited('Respelled', 'one escaped character of the second half', 'malformed', signature_as(lambda s: s[:-1] + f'%{ord(s[-1]):02X}'),
    conditions={'ip': '203.0.113.0/24'}, ip='203.0.113.7')
edited('Respelled', 'unused bits in the second half', 'wrong_ip', signature_as(next_letter), conditions={'ip': '203.0.113.0/24'},
    ip='203.0.113.7')
edited('Respelled', 'unused bits in the first half', 'bad_signature', signature_as(lambda s: next_letter(s[:43]) + s[43:]),
    conditions={'ip': '203.0.113.0/24'}, ip='203.0.113.7')

edited('BadEscape', 'a broken escape in expires', 'malformed', [('1900000000', '19%0')])
edited('BadEscape', 'a percent at the end of id', 'malformed', [('id=a', 'id=a%')], conditions={'id': 'a'})
edited('BadEscape', 'not hexadecimal', 'malformed', [('id=a', 'id=%zz')], conditions={'id': 'a'})
edited('BadEscape', 'not UTF-8', 'malformed', [('id=a', 'id=%FF')], conditions={'id': 'a'})
edited('BadEscape', 'UTF-8 cut short', 'malformed', [('id=a', 'id=%C3')], conditions={'id': 'a'})
edited('BadEscape', 'UTF-8 that is too long for its character', 'malformed', [('id=a', 'id=%C1%A1')], conditions={'id': 'a'})
edited('BadEscape', 'half a surrogate pair as UTF-8', 'malformed', [('id=a', 'id=%ED%A0%80')], conditions={'id': 'a'})
edited('BadEscape', 'a broken escape in the signature', 'malformed', signature_as(lambda s: s[:42] + '%'))
edited('BadEscape', 'a character beyond U+FFFF counts as two', 'malformed', signature_as(lambda s: s[:42] + '🎬'))
signed('BadEscape', 'a byte order mark is a character', 'ok', REPORT, {'id': '\ufeffa'})
signed('BadEscape', 'a byte order mark was taken away', 'bad_signature', REPORT, {'id': '\ufeffa'}, change=[('%EF%BB%BF', '')])
signed('BadEscape', 'an id of line feeds and zeros', 'ok', REPORT, {'id': '\n\0\r\n'})

edited('EscapedName', 'an escaped letter', 'ok', [('expires', '%65xpires')])
edited('EscapedName', 'a + in front of the name', 'malformed', [('&expires', '&+expires')])
edited('EscapedName', 'all escaped, in lower case', 'ok', [('signature', ''.join(f'%{ord(c):02x}' for c in 'signature'))])
edited('EscapedName', 'an escaped = is part of the name', 'malformed', [('expires=', 'expires%3D')])

# Requests

edited('Request', 'a fragment', 'malformed', lambda link: link + '#top')
edited('Request', 'a fragment with parameters that some server reads', 'malformed', lambda link: link + '#&c=2&a=3')
edited('Request', 'an empty fragment', 'malformed', lambda link: link + '#')
edited('Request', 'a control character', 'malformed', [('report', 're\x01port')])
edited('Request', 'a line feed in the query', 'malformed', [('page=2', 'page=2\n')])
edited('Request', 'a delete character', 'malformed', [('page=2', 'page=2\x7f')])
edited('Request', 'a space in the path', 'malformed', [('a%20b', 'a b')], url='/a%20b')
edited('Request', 'a space in the query', 'malformed', [('a%20b', 'a b')], url='/?a%20b')
edited('Request', 'a character beyond ASCII in the path', 'malformed', [('%C3%BC', 'ü')], url='/ü')
edited('Request', 'a character beyond ASCII in the query', 'malformed', [('%C3%BC', 'ü')], url='/?ü')
edited('Request', 'a byte beyond ASCII as Latin-1', 'malformed', [('%FC', '\xfc')], url='/%FC')
edited('Request', 'a backslash in the path', 'malformed', [('/a/b', '/a\\b')], url='/a/b')
edited('Request', 'a backslash in the path, where %5C was signed', 'malformed', [('%5C', '\\')], url='/a%5Cb')
edited('Request', 'two slashes at the beginning of a path', 'malformed', [('/a', '//evil.example/a')], url='/a', conditions={'prefix': '/'})
edited('Request', 'another scheme than those of the web', 'malformed', [('https:', 'javascript:')])
edited('Request', 'a host with two ports', 'malformed', [('https://cdn.example/', 'https://cdn.example:8443:443/')])
edited('Request', 'two slashes behind a host', 'ok', [('/a?', '//evil.example/a?')], url='https://cdn.example/a', conditions={'prefix': '/'})
edited('Request', 'without the link it is unsigned', 'unsigned', lambda link: '/a/../ü#')

# Normal form

signed('Sent', 'characters that no URL has', 'ok', '/a b"<>^`{|}?c d"<>^`{|}\\')
signed('Sent', 'an apostrophe, which browsers escape in a query', 'ok', "/it's?it's")
signed('Sent', 'all characters that a URL has', 'ok', '/!$&()*+,;=:@[]?!$()*+,;:@/?[]')
signed('Sent', 'a percent that begins no escape', 'ok', '/100%/%zz?%&%2&%ü')
signed('Sent', 'a percent before an escape', 'ok', '/%%41')
signed('Sent', 'escapes that are not UTF-8 stay', 'ok', '/%ff%FE?%80=%c0')
signed('Sent', 'an escaped zero', 'ok', '/a%00b')

signed('Reprinted', '@ in the query', 'ok', '/?e=u@x', change=[('u@x', 'u%40x')])
signed('Reprinted', '%40 in the query', 'ok', '/?e=u%40x', change=[('u%40x', 'u@x')])
signed('Reprinted', 'a space as +', 'ok', '/?q=a b&c d=1', change=[('a%20b&c%20d', 'a+b&c+d')])
signed('Reprinted', '+ as %20', 'ok', '/?q=a+b', change=[('a+b', 'a%20b')])
signed('Reprinted', 'a name without = gets one', 'ok', '/?a&b', change=[('?a&b&', '?a=&b=&')])
signed('Reprinted', 'an empty value loses its =', 'ok', '/?a=', change=[('?a=', '?a')])
signed('Reprinted', 'all that URLSearchParams changes', 'ok', "/?t=(a:b/c?)!$*,'~&u", change=[("(a:b/c?)!$*,%27~&u",
    '%28a%3Ab%2Fc%3F%29%21%24*%2C%27%7E&u=')])
signed('Reprinted', "NGINX's proxy_pass decodes the path", 'ok', '/f/Q%26A%2B.pdf', change=[('Q%26A%2B', 'Q&A+')])
signed('Reprinted', 'marks in the path, but for ;', 'ok', "/!$&'()*+,=:@[]", change=[("!$&%27()*+,=:@[]", '%21%24%26%27%28%29%2a%2B%2c%3d%3A%40%5B%5d')])
signed('Reprinted', 'characters that no URL has, as they are', 'ok', '/a"<>^`{|}?b"<>^`{|}\\', change=[('%22%3C%3E%5E%60%7B%7C%7D', '"<>^`{|}'),
    ('%22%3C%3E%5E%60%7B%7C%7D%5C', '"<>^`{|}\\')])
signed('Reprinted', 'a second = in a value', 'ok', '/?a=b=c', change=[('b=c', 'b%3Dc')])
signed('Reprinted', 'a second ?', 'ok', '/?a?b=c?d', change=[('a?b=c?d', 'a%3Fb=c%3fd')])
signed('Reprinted', '[ and ]', 'ok', '/?a[b]=1&a[]=[2]', change=[('a[b]=1&a[]=[2]', 'a%5Bb%5d=1&a%5B%5D=%5B2%5D')])
signed('Reprinted', '~', 'ok', '/~user?~', change=[('~user', '%7Euser')])
signed('Reprinted', '%7e', 'ok', '/%7euser', change=[('%7e', '~')])
signed('Reprinted', 'escapes of plain characters', 'ok', '/%41%7a%30%2D%2e%5f?%41=%7a', change=[('%41%7a%30%2D%2e%5f?%41=%7a', 'Az0-._?A=z')])
signed('Reprinted', 'escapes in lower case', 'ok', '/%c3%bc%2f?%c3%bc=%2f', change=[('%c3%bc%2f?%c3%bc=%2f', '%C3%BC%2F?%C3%BC=%2F')])
signed('Reprinted', 'unrelated names in another order', 'ok', '/?b=2&a=1', change=[('b=2&a=1', 'a=1&b=2')])
signed('Reprinted', 'empty pieces', 'ok', '/?&a=1&&b=2', change=[('?&a=1&&b=2', '?a=1&b=2&')])
signed('Reprinted', '= alone', 'ok', '/?=&a', change=[('?=&a', '?a&=')])
signed('Reprinted', 'the link has %26 in a value', 'ok', '/?a=1%262&b=3', change=[('a=1%262&b=3', 'b=3&a=1%262')])
edited('Reprinted', '? in front of the parameters alone', 'ok', [('/?', '/?&')], url='/')
signed('Reprinted', 'a space in id as +', 'ok', REPORT, {'id': 'a b'}, change=[('a%20b', 'a+b')])
signed('Reprinted', 'a plus and a space in id', 'ok', REPORT, {'id': 'a+b c'}, change=[('a%2Bb%20c', 'a%2bb+c')])
signed('Reprinted', 'a space at the ends of id', 'ok', REPORT, {'id': ' a '}, change=[('%20a%20', '+a+')])
signed('Reprinted', 'a prefix with slashes', 'ok', '/a b/c+d', {'prefix': '/a b/'}, change=[('%2Fa%2520b%2F', '/a%2520b/')])
signed('Reprinted', 'a path that is undecodable, and a query that is not', 'ok', '/%ff?e=u@x', change=[('u@x', 'u%40x')])

signed('Apart', 'a ; in id, where Rack 2 reads another parameter', 'malformed', REPORT, {'id': 'a;uses=9'}, change=[('a%3Buses%3D9', 'a;uses=9')])
signed('Apart', 'a ; in a prefix', 'malformed', '/a;b/c', {'prefix': '/a;b/'}, change=[('a%3Bb', 'a;b')])
signed('Apart', ']= in id, where qs reads another name', 'malformed', REPORT, {'id': 'a]=b'}, change=[('a%5D%3Db', 'a]=b')])
signed('Apart', '%5d= in id', 'malformed', REPORT, {'id': 'a]=b'}, change=[('a%5D%3Db', 'a%5d=b')])
signed('Reprinted', '] and = in id', 'ok', REPORT, {'id': '[a]b=c'}, change=[('%5Ba%5Db%3Dc', '[a]b=c')])
signed('Apart', '%2B and + in id', 'bad_signature', REPORT, {'id': 'a+b'}, change=[('a%2Bb', 'a+b')])
signed('Apart', '%2F and /', 'bad_signature', '/a%2Fb', change=[('%2F', '/')])
signed('Apart', '%3F and ?', 'bad_signature', '/a%3Fb?c', change=[('%3F', '?')])
signed('Apart', '%23 and #', 'unsigned', '/a%23b?c', change=[('%23', '#')])
signed('Apart', '%3B and ; in the path', 'bad_signature', '/a%3Bb', change=[('%3B', ';')])
signed('Apart', '; and %3B in the path', 'bad_signature', '/a;b', change=[(';', '%3B')])
signed('Apart', '%26 and & in the query', 'bad_signature', '/?a=1%262', change=[('%26', '&')])
signed('Apart', '= and %3D between name and value', 'bad_signature', '/?a=1', change=[('a=1', 'a%3D1')])
signed('Apart', '+ and %2B in the query', 'bad_signature', '/?q=a+b', change=[('+', '%2B')])
signed('Apart', '%2B and + in the query', 'bad_signature', '/?q=a%2Bb', change=[('%2B', '+')])
signed('Apart', 'twice escaped and once', 'bad_signature', '/a%2520b', change=[('%2520', '%20')])
signed('Apart', 'an escape that is made by taking one away', 'bad_signature', '/%2541', change=[('%2541', '%41')])
signed('Apart', 'decodeURI and then encodeURI', 'bad_signature', '/?a=1%262', change=[('%26', '%2526')])
signed('Apart', '%25 and % in the query', 'bad_signature', '/?max=10%25', change=[('%25', '%')])
signed('Apart', '%25 and % in the path', 'bad_signature', '/100%25', change=[('%25', '%')])
signed('Apart', 'undecodable: escapes in lower case', 'bad_signature', '/?a=%FF', change=[('%FF', '%ff')])
forged('Apart', 'undecodable: a broken escape is its own form', 'ok', '/?a=%41%', [('expires', '1900000000')])
edited('Apart', 'undecodable: an escape of a plain character', 'bad_signature', lambda link: link.replace('?a=A%25', '?a=%41%'), url='/?a=A%')
signed('Apart', 'undecodable: an escape of a plain character in the query', 'bad_signature', '/?a=%41%FF', change=[('%41', 'A')])
signed('Apart', 'undecodable: the order of names', 'bad_signature', '/?b=%FF&a=1', change=[('b=%FF&a=1', 'a=1&b=%FF')])
signed('Apart', 'undecodable: empty pieces', 'bad_signature', '/?&a=%FF', change=[('?&', '?')])
signed('Apart', 'undecodable: an escape of a plain character in the path', 'bad_signature', '/f/%61%FF', change=[('%61', 'a')])
signed('Apart', 'undecodable: UTF-8 cut short', 'bad_signature', '/?a=%C3%7e', change=[('%7e', '~')])
signed('Apart', 'undecodable: UTF-8 that is too long', 'bad_signature', '/?a=%C1%A1%7e', change=[('%7e', '~')])
signed('Apart', 'undecodable: half a surrogate pair', 'bad_signature', '/?a=%ED%A0%80%7e', change=[('%7e', '~')])
signed('Apart', 'undecodable: beyond U+10FFFF', 'bad_signature', '/?a=%F4%90%80%80%7e', change=[('%7e', '~')])
signed('Apart', 'decodable: the last character there is', 'ok', '/?a=%F4%8F%BF%BF%7e', change=[('%7e', '~')])
signed('Apart', 'qs: %5D%3D and ]= in a value', 'bad_signature', '/?q=x]%3Dy', change=[(']%3D', ']=')])
signed('Apart', 'qs: ]= in a value, and its escape', 'bad_signature', '/?q=x]=y', change=[(']=', ']%3D')])
signed('Apart', 'qs: ]= in a value, and %5D=', 'bad_signature', '/?q=x%5d=y', change=[('%5d', '%5D')])
signed('Apart', 'qs: ]= in a name is no matter', 'ok', '/?q[x]=y&p=[', change=[('q[x]=y&p=[', 'p=%5B&q%5Bx%5d=y')])
signed('Apart', '; and %3B in the query', 'bad_signature', '/?a=1;b=2', change=[(';', '%3B')])
signed('Apart', '; in the query: = and %3D', 'bad_signature', '/?a=1;role%3Duser', change=[('%3D', '=')])
signed('Apart', '; in the query: the order of names', 'bad_signature', '/?b=1;a=2&a=3', change=[('b=1;a=2&a=3', 'a=3&b=1;a=2')])
signed('Apart', '; in the query: empty pieces', 'bad_signature', '/?a=1;&&b', change=[('&&b', '&b')])
signed('Apart', 'the order of values', 'bad_signature', '/?a=1&a=2', change=[('a=1&a=2', 'a=2&a=1')])
signed('Apart', 'related names: a and A', 'bad_signature', '/?a=1&A=2', change=[('a=1&A=2', 'A=2&a=1')])
signed('Apart', 'related names: a and a[b]', 'bad_signature', '/?a[b]=1&a=2', change=[('a[b]=1&a=2', 'a=2&a[b]=1')])
signed('Apart', 'related names: a and a_b', 'bad_signature', '/?a_b=1&a=2', change=[('a_b=1&a=2', 'a=2&a_b=1')])
signed('Apart', 'related names: a.b and a_b', 'bad_signature', '/?a.b=1&a_b=2', change=[('a.b=1&a_b=2', 'a_b=2&a.b=1')])
signed('Apart', 'related names: a+b and a_b', 'bad_signature', '/?a+b=1&a_b=2', change=[('a+b=1&a_b=2', 'a_b=2&a+b=1')])
signed('Apart', 'related names: a+b and a%20b', 'bad_signature', '/?a+b=1&a%20b=2', change=[('a+b=1&a%20b=2', 'a%20b=2&a+b=1')])
signed('Apart', 'related names: a space in front', 'bad_signature', '/?+a=1&a=2', change=[('+a=1&a=2', 'a=2&+a=1')])
signed('Apart', 'related names: a zero behind', 'bad_signature', '/?a%00b=1&a=2', change=[('a%00b=1&a=2', 'a=2&a%00b=1')])
signed('Apart', 'names that begin with [ keep all in order', 'bad_signature', '/?[a]=1&b=2&c=3', change=[('b=2&c=3', 'c=3&b=2')])
signed('Apart', 'names with [ before the first letter of ASCII', 'bad_signature', '/?é[0]=x&é[]=y', change=[('%C3%A9[0]=x&%C3%A9[]=y',
    '%C3%A9[]=y&%C3%A9[0]=x')])
signed('Apart', 'names with [ and no letter', 'bad_signature', '/?_=1&_[]=2&x', change=[('_=1&_[]=2&x', 'x&_=1&_[]=2')])
signed('Apart', 'names with _ and [', 'bad_signature', '/?_=1&_[a]=2', change=[('_=1&_[a]=2', '_[a]=2&_=1')])
signed('Apart', 'names with ] before the first letter', 'bad_signature', '/?b]=1&]a=2', change=[('b]=1&]a=2', ']a=2&b]=1')])
signed('Apart', 'names with a zero before the first letter', 'bad_signature', '/?b=1&%00a=2', change=[('b=1&%00a=2', '%00a=2&b=1')])
signed('Apart', 'a name in another case', 'bad_signature', '/?a=1', change=[('a=1', 'A=1')])
signed('Apart', 'a parameter twice and once', 'bad_signature', '/?a=1&a=1', change=[('a=1&a=1', 'a=1')])
signed('Apart', 'composed and decomposed', 'bad_signature', '/ü', change=[('%C3%BC', 'u%CC%88')])

MANY = ['b'] + ['a'] * 1000
signed('Apart', '1,001 parameters', 'ok', '/?' + '&'.join(MANY))
signed('Apart', '1,001 parameters, two of them in another order', 'bad_signature', '/?' + '&'.join(MANY), change=[('b&a&', 'a&b&')])
signed('Apart', '1,001 parameters, printed in another way', 'bad_signature', '/?' + '&'.join(MANY), change=[('b&', 'b=&')])
signed('Apart', '1,001 parameters, those of the link in front', 'malformed', '/?' + '&'.join(MANY),
    change=lambda link: '/?{1}&{0}'.format(*link[2:].split('&expires=')).replace('?1900000000', '?expires=1900000000'))
signed('Apart', '1,000 pieces with those of the link', 'ok', '/?' + '&'.join(MANY[:998]), change=[('b&a&', 'a=&b&')])
signed('Apart', '1,001 pieces with those of the link', 'bad_signature', '/?' + '&'.join(MANY[:999]), change=[('b&a&', 'a&b&')])
signed('Apart', '1,000 empty pieces in front', 'bad_signature', '/?a=1', change=[('?', '?' + '&' * 1000)])
signed('Apart', '900 empty pieces in front', 'ok', '/?a=1', change=[('?', '?' + '&' * 900)])

signed('Unicode', 'umlauts as they are', 'ok', '/größe?ü=ä', change=[('gr%C3%B6%C3%9Fe?%C3%BC=%C3%A4', 'gr%c3%b6%c3%9fe?%c3%bc=%c3%a4')])
signed('Unicode', 'an emoji', 'ok', '/🎬?🎬', change=[('%F0%9F%8E%AC?', '%f0%9f%8e%ac?')])
signed('Unicode', 'line separators', 'ok', '/a\u2028b\u2029c\u0085')
signed('Unicode', 'in a prefix', 'ok', '/größe/1', {'prefix': '/größe'}, change=[('/1', '/2')])

signed('DotSegments', 'an empty segment', 'ok', '/a//b')
signed('DotSegments', 'an empty segment is not nothing', 'bad_signature', '/a//b', change=[('//', '/')])
for dots in ('.', '..', '%2e', '%2E', '.%2e', '%2e.', '%2E%2e', '.;', '..;', '..;x=1', '%2e%2e;'):
    edited('DotSegments', f'a segment {dots}', 'malformed', [('/a/c', f'/a/b/{dots}/c')], url='/a/c')
edited('DotSegments', '.. that leads to the signed path', 'malformed', [('/x', '/admin/../x')], url='/x')
edited('DotSegments', '.. at the beginning', 'malformed', [('/a', '/../a')], url='/a')
edited('DotSegments', '.. at the end', 'malformed', [('/a/', '/a/b/..')], url='/a/')
edited('DotSegments', '. at the end', 'malformed', [('/a/', '/a/.')], url='/a/')
edited('DotSegments', '.. behind a host', 'malformed', [('/report', '/x/../report')])
edited('DotSegments', '.. below a prefix', 'malformed', [('/a/c', '/a/b/../c')], url='/a/c', conditions={'prefix': '/'})
signed('DotSegments', 'three dots are a name', 'ok', '/a/.../b')
signed('DotSegments', 'names with dots', 'ok', '/.well-known/..a/b../c.')
signed('DotSegments', 'twice escaped dots are a name', 'ok', '/a/%252e%252e/b')
signed('DotSegments', 'dots behind %2F are part of a name', 'ok', '/a%2F../b')
signed('DotSegments', 'dots behind %2F are not resolved', 'bad_signature', '/a%2F../b', change=[('/a%2F..', '')])
signed('DotSegments', 'dots in the query', 'ok', '/a?b/../c')
signed('DotSegments', 'a slash at the end', 'bad_signature', '/a/', change=[('/a/', '/a')])

signed('Query', 'duplicates among others', 'ok', '/?a=2&b=x&a=1', change=[('a=2&b=x&a=1', 'b=x&a=2&a=1')])
signed('Query', 'a name that begins another', 'ok', '/?ab=1&a=2&a-=3', change=[('ab=1&a=2&a-=3', 'a=2&a-=3&ab=1')])
signed('Query', 'the first run of letters and digits orders', 'ok', '/?-b=1&a.z=2&%C3%A9a0=3', change=[('-b=1&a.z=2&%C3%A9a0=3', '%c3%a9a0=3&-b=1&a.z=2')])
signed('Query', 'digits come before letters, names without either first', 'ok', '/?b&1&é&-', change=[('b&1&%C3%A9&-', '%C3%A9&-&1&b')])
signed('Query', 'names without letters keep their order', 'bad_signature', '/?é&-', change=[('%C3%A9&-', '-&%C3%A9')])
signed('Query', 'order without case', 'ok', '/?B=1&a=2&C=3', change=[('B=1&a=2&C=3', 'C=3&B=1&a=2')])
signed('Query', 'names with escapes', 'ok', '/?é=1&z=2&%41=3', change=[('%C3%A9=1&z=2&%41=3', 'A=3&z=2&%c3%a9=1')])
signed('Query', 'names with brackets behind a letter are ordered', 'ok', '/?b[]=1&a[x]=2', change=[('b[]=1&a[x]=2', 'a[x]=2&b[]=1')])
signed('Query', 'a and a= keep their order, and are alike', 'ok', '/?a&a=', change=[('a&a=', 'a=&a')])
signed('Query', 'nothing but =', 'ok', '/?=')
signed('Query', 'nothing but ?', 'ok', '/?', change=[('/?&', '/?')])

signed('Fragment', 'a fragment that the client left out', 'ok', REPORT + '#page=2?x&y', change=[('#page=2?x&y', '')])
signed('Fragment', 'spaces and umlauts in a fragment', 'ok', REPORT + '#a b ü 100% {}#', change=lambda link: link[: link.index('#')])
signed('Fragment', 'an empty fragment', 'ok', '/#', change=[('#', '')])

# Time

signed('Clock', 'one second before the expiry', 'ok', REPORT, now=after(EXPIRES, -1))
signed('Clock', 'the second of the expiry', 'expired', REPORT, now=EXPIRES)
signed('Clock', 'one second after the expiry', 'expired', REPORT, now=after(EXPIRES, 1))
signed('Clock', 'years after', 'expired', REPORT, now='2099-01-01T00:00:00Z')
signed('Clock', 'one second before the start', 'too_early', REPORT, {'starts': '2028-01-01T00:00:00Z'}, now='2027-12-31T23:59:59Z')
signed('Clock', 'the second of the start', 'ok', REPORT, {'starts': '2028-01-01T00:00:00Z'}, now='2028-01-01T00:00:00Z')
signed('Clock', 'a start that is over', 'ok', REPORT, {'starts': '2001-01-01T00:00:00Z'})
signed('Clock', 'the last second there is', 'ok', REPORT, {'expires': '5138-11-16T09:46:39Z'})
signed('Clock', 'beyond 2038', 'ok', REPORT, {'expires': '2100-01-01T00:00:00Z'}, now='2099-12-31T23:59:59Z')
signed('Tolerance', 'just within, at the end', 'ok', REPORT, now=after(EXPIRES, 29), tolerance='30s')
signed('Tolerance', 'just without, at the end', 'expired', REPORT, now=after(EXPIRES, 30), tolerance='30s')
signed('Tolerance', 'just within, at the start', 'ok', REPORT, {'starts': '2028-01-01T00:00:00Z'}, now='2027-12-31T23:59:30Z',
    tolerance='30s')
signed('Tolerance', 'just without, at the start', 'too_early', REPORT, {'starts': '2028-01-01T00:00:00Z'}, now='2027-12-31T23:59:29Z',
    tolerance='30s')
signed('Tolerance', 'no more than five minutes, within', 'ok', REPORT, now=after(EXPIRES, 299), tolerance='5m')
signed('Tolerance', 'no more than five minutes, without', 'expired', REPORT, now=after(EXPIRES, 300), tolerance='5m')
signed('Align', 'up to the hour', 'ok', REPORT, {'expires': '2030-03-17T17:46:40Z', 'align': '1h'}, now='2030-03-17T17:59:59Z')
signed('Align', 'already a full hour', 'expired', REPORT, {'expires': '2030-03-17T18:00:00Z', 'align': '1h'}, now='2030-03-17T18:00:00Z')
signed('Align', 'a day', 'ok', REPORT, {'expires': '2030-03-17T00:00:01Z', 'align': '1d'}, now='2030-03-17T23:59:59Z')

# Methods

signed('Method', 'GET without method', 'ok', REPORT, method='GET')
signed('Method', 'HEAD without method', 'ok', REPORT, method='HEAD')
signed('Method', 'POST without method', 'wrong_method', REPORT, method='POST')
signed('Method', 'GET opens HEAD', 'ok', REPORT, {'method': 'GET'}, method='HEAD')
signed('Method', 'HEAD does not open GET', 'wrong_method', REPORT, {'method': 'HEAD'}, method='GET')
signed('Method', 'HEAD', 'ok', REPORT, {'method': 'HEAD'}, method='HEAD')
signed('Method', 'PUT', 'ok', REPORT, {'method': 'PUT'}, method='PUT')
signed('Method', 'PUT does not open GET', 'wrong_method', REPORT, {'method': 'PUT'})
signed('Method', 'PUT does not open HEAD', 'wrong_method', REPORT, {'method': 'PUT'}, method='HEAD')
signed('Method', 'several are sorted', 'ok', REPORT, {'method': ['PUT', 'DELETE', 'GET']}, method='DELETE')
signed('Method', 'a name with -', 'ok', REPORT, {'method': 'M-SEARCH'}, method='M-SEARCH')
signed('Method', 'in lower case when it is signed', 'ok', REPORT, {'method': 'post'}, method='POST')
signed('Method', 'named twice', 'ok', REPORT, {'method': ['GET', 'GET']})
signed('Method', 'a visit in lower case', 'ok', REPORT, {'method': 'PATCH'}, method='patch')
signed('Method', 'a part of a name', 'wrong_method', REPORT, {'method': 'PATCH'}, method='PAT')

# Addresses

V4, V6 = {'ip': '203.0.113.0/24'}, {'ip': '2001:db8:1::/48'}
signed('Address', 'an IPv4 network', 'ok', REPORT, V4, ip='203.0.113.255')
signed('Address', 'another IPv4 network', 'wrong_ip', REPORT, V4, ip='203.0.114.0')
signed('Address', 'no address', 'wrong_ip', REPORT, V4)
signed('Address', 'an address that is none', 'wrong_ip', REPORT, V4, ip='unknown')
signed('Address', 'an empty address', 'wrong_ip', REPORT, V4, ip='')
signed('Address', 'a network for an address', 'wrong_ip', REPORT, V4, ip='203.0.113.0/24')
signed('Address', 'one IPv4 address', 'ok', REPORT, {'ip': '203.0.113.7'}, ip='203.0.113.7')
signed('Address', 'its neighbour', 'wrong_ip', REPORT, {'ip': '203.0.113.7'}, ip='203.0.113.6')
signed('Address', 'a network that does not end at a digit', 'ok', REPORT, {'ip': '203.0.113.128/25'}, ip='203.0.113.200')
signed('Address', 'the other half of it', 'wrong_ip', REPORT, {'ip': '203.0.113.128/25'}, ip='203.0.113.127')
signed('Address', 'bits behind the network do not count', 'ok', REPORT, {'ip': '203.0.113.99/24'}, ip='203.0.113.7')
signed('Address', 'all of IPv4', 'ok', REPORT, {'ip': '0.0.0.0/0'}, ip='203.0.113.7')
signed('Address', 'all of IPv4, not IPv6', 'wrong_ip', REPORT, {'ip': '0.0.0.0/0'}, ip='2001:db8::1')
signed('Address', 'an IPv6 network', 'ok', REPORT, V6, ip='2001:db8:1:ffff::1')
signed('Address', 'another IPv6 network', 'wrong_ip', REPORT, V6, ip='2001:db8:2::1')
signed('Address', 'one IPv6 address', 'ok', REPORT, {'ip': '2001:db8::1'}, ip='2001:db8::1')
signed('Address', 'an IPv6 network that does not end at a digit', 'ok', REPORT, {'ip': '2001:db8::/31'}, ip='2001:db9::1')
signed('Address', 'an IPv6 link, an IPv4 address, and more bits than it has', 'wrong_ip', REPORT, {'ip': '2001:db8::1'}, ip='203.0.113.7')
signed('Address', 'an IPv4 link, an IPv6 address', 'wrong_ip', REPORT, V4, ip='2001:db8::1')
signed('Address', 'all of IPv6', 'ok', REPORT, {'ip': '::/0'}, ip='2001:db8::1')
edited('Address', 'a network that was signed without an address', 'wrong_ip',
    lambda link: networked(link, 'undefined'), conditions=V4)
signed('AddressForm', 'IPv4 visits as mapped', 'ok', REPORT, V4, ip='::ffff:203.0.113.7')
signed('AddressForm', 'mapped in hexadecimal', 'ok', REPORT, V4, ip='::FFFF:cb00:7107')
signed('AddressForm', 'mapped and without zeros left out', 'ok', REPORT, V4, ip='0:0:0:0:0:ffff:cb00:7107')
signed('AddressForm', 'signed as mapped', 'ok', REPORT, {'ip': '::ffff:203.0.113.7'}, ip='203.0.113.7')
signed('AddressForm', 'mapped, of another network', 'wrong_ip', REPORT, V4, ip='::ffff:203.0.114.7')
signed('AddressForm', 'IPv6 in upper case, with zeros', 'ok', REPORT, {'ip': '2001:db8::1'}, ip='2001:0DB8:0000:0:0::0001')
signed('AddressForm', 'signed in upper case, with zeros', 'ok', REPORT, {'ip': '2001:0DB8:0:0:0:0:0:1'}, ip='2001:db8::1')
signed('AddressForm', 'brackets', 'ok', REPORT, {'ip': '2001:db8::1'}, ip='[2001:db8::1]')
signed('AddressForm', 'signed with brackets', 'ok', REPORT, {'ip': '[2001:db8::1]'}, ip='2001:db8::1')
signed('AddressForm', 'a zone', 'ok', REPORT, {'ip': 'fe80::1'}, ip='fe80::1%eth0')
signed('AddressForm', 'brackets around a zone', 'ok', REPORT, {'ip': 'fe80::1'}, ip='[fe80::1%eth0]')
signed('AddressForm', 'a zone behind brackets', 'wrong_ip', REPORT, {'ip': 'fe80::1'}, ip='[fe80::1]%eth0')
signed('AddressForm', 'a zone without a name', 'wrong_ip', REPORT, {'ip': 'fe80::1'}, ip='fe80::1%')
signed('AddressForm', 'a zone beyond ASCII', 'wrong_ip', REPORT, {'ip': 'fe80::1'}, ip='fe80::1%é')
signed('AddressForm', 'IPv4 in brackets, with a zone', 'ok', REPORT, V4, ip='[203.0.113.7%eth0]')
signed('AddressForm', 'the first bracket alone', 'wrong_ip', REPORT, V6, ip='[2001:db8:1::1')
signed('AddressForm', 'the last bracket alone', 'wrong_ip', REPORT, V6, ip='2001:db8:1::1]')
signed('AddressForm', 'leading zeros in IPv4', 'wrong_ip', REPORT, V4, ip='203.0.113.007')
signed('AddressForm', 'a mapped network', 'ok', REPORT, {'ip': '::ffff:203.0.113.0/120'}, ip='203.0.113.7')
signed('AddressForm', 'a number that is too large', 'wrong_ip', REPORT, V4, ip='203.0.113.256')
signed('AddressForm', 'three numbers', 'wrong_ip', REPORT, V4, ip='203.0.113')
signed('AddressForm', 'a port', 'wrong_ip', REPORT, V4, ip='203.0.113.7:443')
signed('AddressForm', 'two ::', 'wrong_ip', REPORT, V6, ip='2001:db8:1::1::')
signed('AddressForm', 'nine groups', 'wrong_ip', REPORT, V6, ip='2001:db8:1:0:0:0:0:0:1')
signed('AddressForm', 'seven groups', 'wrong_ip', REPORT, V6, ip='2001:db8:1:0:0:0:0')
signed('AddressForm', 'a group of five digits', 'wrong_ip', REPORT, V6, ip='2001:db8:00001::1')
signed('AddressForm', 'an IPv4 part at the end', 'ok', REPORT, V6, ip='2001:db8:1::203.0.113.7')

# Prefixes

signed('Prefix', 'a folder', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '43/7.ts')])
signed('Prefix', 'the folder itself', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('/videos/42/1.ts', '/videos/')])
signed('Prefix', 'the folder without its slash', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('/videos/42/1.ts', '/videos')])
signed('Prefix', 'without a slash at the end', 'ok', VIDEO, {'prefix': '/videos'}, change=[('42/1.ts', '43/7.ts')])
signed('Prefix', 'without a slash at the end, the path itself', 'ok', VIDEO, {'prefix': '/videos'}, change=[('/videos/42/1.ts', '/videos')])
signed('Prefix', 'a sibling', 'wrong_path', VIDEO, {'prefix': '/videos'}, change=[('/videos/42/1.ts', '/videos2/1.ts')])
signed('Prefix', 'somewhere else', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('/videos/42/1.ts', '/secret')])
signed('Prefix', 'another case', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('/videos/', '/Videos/')])
signed('Prefix', '..', 'malformed', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '../secret')])
signed('Prefix', '.. that stays below', 'malformed', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '42/../43/1.ts')])
signed('Prefix', 'escaped dots', 'malformed', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '%2e%2e/secret')])
signed('Prefix', '..%2F', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '..%2Fsecret')])
signed('Prefix', '%2f..', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '42%2f..%2f..%2fsecret')])
signed('Prefix', '..%5C', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '..%5Csecret')])
for climb in ('%2F..', '%5C..', 'a%2F..', 'a%5c..', '..%2f', '%2F..;', '..%2F%FF', '%2f%2E%2e%2f%ff'):
    signed('Prefix', f'a path that ends in {climb}', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', climb)])
signed('Prefix', 'a backslash', 'malformed', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '..\\secret')])
signed('Prefix', '%2F without dots', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '42%2F1.ts')])
signed('Prefix', '%2F is not the slash of the prefix', 'wrong_path', VIDEO, {'prefix': '/videos'}, change=[('/videos/', '/videos%2F')])
signed('Prefix', 'escapes in the prefix', 'ok', '/a@b/1', {'prefix': '/a@b'}, change=[('/a@b/1', '/a%40b/2')])
signed('Prefix', 'a prefix with ;', 'ok', '/a;b/1', {'prefix': '/a;b/'}, change=[('/1', '/2')])
signed('Prefix', 'a prefix with ;, visited with %3B', 'wrong_path', '/a;b/1', {'prefix': '/a;b/'}, change=[('/a;b/1', '/a%3Bb/1')])
signed('Prefix', 'an undecodable path below', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '%ff')])
signed('Prefix', 'an undecodable path is not normalised', 'wrong_path', VIDEO, {'prefix': '/videos/'}, change=[('/videos/42/1.ts', '/%76ideos/%ff')])
forged('Prefix', 'an undecodable prefix', 'wrong_path', '/%ff/1', [('expires', '1900000000'), ('prefix', '/%ff/')])
signed('Prefix', 'a percent in the prefix', 'ok', '/100%/1', {'prefix': '/100%/'}, change=[('/1?', '/2?')])
signed('Prefix', 'the root', 'ok', VIDEO, {'prefix': '/'}, change=[('/videos/42/1.ts', '/a')])
signed('Prefix', 'the prefix is brought into normal form', 'ok', 'https://cdn.example/größe|/1', {'prefix': '/gr%c3%b6ße|/'},
    change=[('%C3%9Fe%7C/1', '%c3%9fe|/2')])
signed('Prefix', 'the query is covered', 'bad_signature', VIDEO + '?a=1', {'prefix': '/videos/'}, change=[('a=1', 'a=2')])
signed('Prefix', 'another prefix', 'bad_signature', VIDEO, {'prefix': '/videos/42/'}, change=[('videos%2F42%2F', 'videos%2F')])
signed('Prefix', 'three dots', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '...%2F1.ts')])

# Uses

ONCE, THRICE = {'uses': 1, 'id': 'k7'}, {'uses': 3, 'id': 'k7'}
signed('Uses', 'the only one', 'ok', REPORT, ONCE, redeemed=0)
signed('Uses', 'used', 'used', REPORT, ONCE, redeemed=1)
signed('Uses', 'verified, not redeemed', 'needs_redeem', REPORT, ONCE)
signed('Uses', 'the last one of three', 'ok', REPORT, THRICE, redeemed=2)
signed('Uses', 'all three used', 'used', REPORT, THRICE, redeemed=3)
signed('Uses', 'below a prefix, verified, not redeemed', 'needs_redeem', VIDEO, {**ONCE, 'prefix': '/videos/'})
signed('Uses', 'three, verified, not redeemed', 'needs_redeem', REPORT, THRICE)
signed('Uses', 'redeemed without uses', 'ok', REPORT, redeemed=0)
signed('Uses', 'an id beyond ASCII', 'used', REPORT, {'uses': 1, 'id': 'k7 – ü&='}, redeemed=1)
signed('Uses', 'the most there is', 'ok', REPORT, {'uses': 999999999, 'id': 'k7'}, redeemed=1)
signed('Revoked', 'called back', 'revoked', REPORT, {'id': 'k7'}, revoked=True)
signed('Revoked', 'called back, without an id', 'revoked', REPORT, revoked=True)
signed('Revoked', 'called back and used', 'revoked', REPORT, ONCE, revoked=True, redeemed=1)
signed('Revoked', 'called back, with uses, verified', 'revoked', REPORT, ONCE, revoked=True)
signed('Revoked', 'called back and expired', 'expired', REPORT, now=EXPIRES, revoked=True)
signed('Revoked', 'called back and forged', 'bad_signature', REPORT, change=[('page=2', 'page=1')], revoked=True)

EVERYTHING = {'starts': '2028-01-01T00:00:00Z', 'method': 'PUT', 'ip': '203.0.113.7', 'prefix': '/videos/', 'uses': 1, 'id': 'k7'}
AWAY = [('/videos/42/1.ts', '/secret')]
signed('Order', 'malformed before all', 'malformed', VIDEO, EVERYTHING, change=lambda link: changed(link, AWAY) + 'x', now=EXPIRES,
    revoked=True)
signed('Order', 'signature before path', 'bad_signature', VIDEO, EVERYTHING, change=[*AWAY, ('k7', 'k8')], now=EXPIRES, revoked=True)
signed('Order', 'path before method', 'wrong_path', VIDEO, EVERYTHING, change=AWAY, now=EXPIRES, revoked=True)
signed('Order', 'method before address', 'wrong_method', VIDEO, EVERYTHING, now=EXPIRES, revoked=True)
signed('Order', 'address before time', 'wrong_ip', VIDEO, EVERYTHING, method='PUT', now=EXPIRES, revoked=True)
signed('Order', 'time before revocation', 'expired', VIDEO, EVERYTHING, method='PUT', ip='203.0.113.7', now=EXPIRES, revoked=True)
signed('Order', 'start before revocation', 'too_early', VIDEO, EVERYTHING, method='PUT', ip='203.0.113.7', revoked=True)
signed('Order', 'revocation before uses', 'revoked', VIDEO, EVERYTHING, method='PUT', ip='203.0.113.7', now='2028-01-01T00:00:00Z',
    revoked=True, redeemed=1)

# Keys

NEW, OLD = {'id': '2026-11', 'secret': SECRET}, {'id': '2026-05', 'secret': OTHER}
group(NEW, OLD)
signed('Rotation', 'the first key signs', 'ok', REPORT)
edited('Rotation', 'the second key still verifies', 'ok', [], minted={'keys': [OLD]})
edited('Rotation', 'a key that is not there', 'unknown_key', [], minted={'keys': [{'id': '2025-11', 'secret': SECRET}]})
edited('Rotation', 'a key in another case', 'unknown_key', [], minted={'keys': [{'id': '2026-11A', 'secret': SECRET}]})
edited('Rotation', 'a renamed key', 'bad_signature', [('key=2026-11', 'key=2026-05')])
edited('Rotation', 'the right id, another secret', 'bad_signature', [], minted={'keys': [{'id': '2026-11', 'secret': OTHER}]})
edited('Rotation', 'a link without key tries all', 'ok', [], minted={'keys': [{'secret': OTHER}]})
edited('Rotation', 'a key was taken away', 'bad_signature', without('key'))
edited('Rotation', 'an unknown key before the signature', 'unknown_key', lambda link: '/?expires=1900000000&key=x&signature=' + 'A' * 43)

group({'id': 'März/~ 1', 'secret': 'ein Geheimnis aus zweiunddreißig B'})
signed('Rotation', 'a key id and a secret beyond ASCII', 'ok', REPORT)
signed('Reprinted', 'a space in key as +', 'ok', REPORT, change=[('%2F~%201', '%2f%7E+1')])

group({'secret': SECRET}, {'secret': OTHER})
signed('Rotation', 'keys without id, the first signs', 'ok', REPORT)
edited('Rotation', 'keys without id, the second verifies', 'ok', [], minted={'keys': [{'secret': OTHER}]})
edited('Rotation', 'the second key, with an address', 'ok', [], minted={'keys': [{'secret': OTHER}]}, conditions=V4, ip='203.0.113.7')
edited('Rotation', 'an id that no key has', 'unknown_key', [], minted={'keys': [NEW]})
edited('Rotation', 'the second half under another key', 'wrong_ip',
    lambda link: link[:-43] + securelink.sign({'keys': [{'secret': SECRET}]}, REPORT, securelink.moments({'expires': EXPIRES, **V4}),
        moment(NOW))[-43:], minted={'keys': [{'secret': OTHER}]}, conditions=V4, ip='203.0.113.7')

NEXT = {'id': 'b', 'secret': SECRET, 'starts': '2028-01-01T00:00:00Z'}
LAST = {'id': 'a', 'secret': OTHER, 'expires': '2028-02-01T00:00:00Z'}
group(NEXT, LAST)
# Links that outlive their key are made with a key that has no end: no signer makes them, and a verifier must refuse them all the same.
ENDLESS = {'minted': {'keys': [{'id': 'a', 'secret': OTHER}]}}
STARTED = {'minted': {'keys': [{'id': 'b', 'secret': SECRET}]}}
signed('Rotation', 'a link expires with the only key in time', 'ok', REPORT)
signed('Rotation', 'a link that the key outlives', 'ok', REPORT, {'expires': '2028-01-15T00:00:00Z'})
signed('Rotation', 'a link that ends with its key', 'ok', REPORT, {'expires': '2028-02-01T00:00:00Z'})
signed('Rotation', 'the first key in time signs: the new one', 'ok', REPORT, at='2028-01-01T00:00:00Z', now='2028-01-01T00:00:00Z')
edited('Rotation', 'the old key, and a link that outlives it', 'ok', [], **ENDLESS)
edited('Rotation', 'one second before the key expires', 'ok', [], **ENDLESS, now='2028-01-31T23:59:59Z')
edited('Rotation', 'the second in which the key expires', 'key_expired', [], **ENDLESS, now='2028-02-01T00:00:00Z')
edited('Rotation', 'the key is not in time, within the tolerance', 'ok', [], **ENDLESS, now='2028-02-01T00:00:29Z', tolerance='30s')
edited('Rotation', 'the key is not in time, beyond the tolerance', 'key_expired', [], **ENDLESS, now='2028-02-01T00:00:30Z', tolerance='30s')
edited('Rotation', 'link and key expired', 'expired', [], **ENDLESS, now=EXPIRES)
edited('Rotation', 'key expired and link too early', 'key_expired', [], conditions={'starts': '2029-01-01T00:00:00Z'}, **ENDLESS,
    now='2028-02-01T00:00:00Z')
edited('Rotation', 'one second before the key starts', 'too_early', [], **STARTED, now='2027-12-31T23:59:59Z')
edited('Rotation', 'before the key starts, within the tolerance', 'ok', [], **STARTED, now='2027-12-31T23:59:30Z', tolerance='30s')
edited('Rotation', 'key expired before revoked', 'key_expired', [], **ENDLESS, now='2028-02-01T00:00:00Z', revoked=True)
edited('Rotation', 'the start of the key, refused for the method', 'wrong_method', [], **STARTED, method='POST')
edited('Rotation', 'the expiry of the key, refused for the method', 'wrong_method', [], **ENDLESS, method='POST')

SHORT = {'id': 's', 'secret': SECRET, 'expires': '2027-06-01T00:00:00Z'}
LONG = {'id': 'l', 'secret': OTHER, 'expires': '2031-01-01T00:00:00Z'}
group(SHORT, LONG)
signed('Rotation', 'the first key that lasts as long as the link signs', 'ok', REPORT)
signed('Rotation', 'the first key signs a link that it outlives', 'ok', REPORT, {'expires': '2027-05-01T00:00:00Z'})
signed('Rotation', 'no key lasts as long: the first one signs, and the link expires with it', 'ok', REPORT, {'expires': '2032-01-01T00:00:00Z'})

# Placement in the path

group(placement='path')
signed('PathPlacement', 'a link', 'ok', REPORT)
signed('PathPlacement', 'a path', 'ok', '/videos/1.ts')
signed('PathPlacement', 'no path', 'ok', 'https://cdn.example')
signed('PathPlacement', 'nothing but the segment', 'ok', 'https://cdn.example/', change=lambda link: link[:-1])
signed('PathPlacement', 'a folder and its neighbour', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('42/1.ts', '42/2.ts')])
signed('PathPlacement', '~ and other escapes', 'ok', VIDEO, {'prefix': '/videos/', 'id': '~%,=/ü', 'method': ['GET', 'PUT']})
signed('PathPlacement', 'all at once', 'ok', '/videos/42/1.ts?q=1#top', {'starts': NOW, 'method': ['PUT', 'GET'], 'ip': '203.0.113.0/24',
    'prefix': '/videos/', 'uses': 3, 'id': 'ab c'}, change=[('#top', '')], ip='203.0.113.7', redeemed=2)
signed('PathPlacement', 'the query is covered', 'bad_signature', REPORT, change=[('page=2', 'page=3')])
signed('PathPlacement', 'another path', 'bad_signature', REPORT, change=[('report', 'secret')])
signed('PathPlacement', 'names of the link in the query', 'ok', '/?id=1&id[]=2&expires=3')
signed('PathPlacement', 'a path of two slashes', 'ok', 'https://cdn.example//a')
signed('PathPlacement', 'two slashes in the rest of a path', 'malformed', 'https://cdn.example//a', change=[('https://cdn.example', '')])
signed('PathPlacement', 'dot segments in the rest', 'malformed', '/a/c', change=[('/a/c', '/a/b/../c')])
signed('PathPlacement', '1,001 parameters', 'bad_signature', '/?' + '&'.join(MANY), change=[('b&a&', 'a&b&')])
signed('PathPlacement', '1,000 parameters', 'ok', '/?' + '&'.join(MANY[:-1]), change=[('b&a&', 'a=&b&')])
edited('PathPlacement', 'an escaped character of the signature', 'malformed', lambda link: re.sub('signature=(.)', lambda m: f'signature=~{ord(m[1]):02x}', link))
edited('PathPlacement', 'the segment without the path', 'bad_signature', [('/report.pdf', '/')])
edited('PathPlacement', 'a parameter was added', 'bad_signature', [('expires=1900000000', 'expires=1900000000,starts=1')])
edited('PathPlacement', 'parameters in another order', 'ok',
    lambda link: f'/expires=1900000000,signature={link.split("signature=")[1][:43]},id=a/report.pdf?page=2', conditions={'id': 'a'})
edited('PathPlacement', 'a parameter of nobody', 'malformed', [('expires=1900000000', 'expires=1900000000,x=1')])
edited('PathPlacement', 'an empty piece', 'ok', [('expires=1900000000', 'expires=1900000000,')])
edited('PathPlacement', 'an escape with %', 'ok', [('prefix=~2F', 'prefix=%2F')], conditions={'prefix': '/'})
WRITTEN = {'prefix': '/', 'id': 'a,b=~', 'method': ['GET', 'PUT']}
edited('Reprinted', 'all marks of the segment escaped, as encodeURIComponent does', 'ok',
    lambda link: re.sub('(?<=/)expires[^/]*', lambda m: m[0].replace('=', '%3D').replace(',', '%2C'), link), conditions=WRITTEN)
edited('Reprinted', 'the ~ too, in lower case', 'ok',
    lambda link: re.sub('(?<=/)expires[^/]*', lambda m: m[0].replace('~', '%7e').replace('=', '%3d').replace(',', '%2c'), link), conditions=WRITTEN)
edited('Reprinted', "the commas alone, as Go's PathEscape does", 'ok',
    lambda link: re.sub('(?<=/)expires[^/]*', lambda m: m[0].replace(',', '%2C'), link), conditions=WRITTEN)
edited('PathPlacement', 'an escaped comma in a value ends it', 'malformed', [('~2C', '%2C')], conditions=WRITTEN)
edited('PathPlacement', 'a + in id is not a space', 'bad_signature', [('a~20b', 'a+b')], conditions={'id': 'a b'})
edited('PathPlacement', 'marks that are escaped twice', 'unsigned', [('expires=', 'expires%253D')])
edited('PathPlacement', 'an escaped letter in the name of expires', 'unsigned', [('/expires', '/%65xpires')])
edited('PathPlacement', 'an escaped slash after the segment', 'malformed', [('/report', '%2Freport')])
edited('PathPlacement', 'expires twice', 'malformed', [('expires=1900000000', 'expires=1900000000,expires=1900000000')])
edited('PathPlacement', 'a broken escape', 'malformed', [('id=a', 'id=a~z')], conditions={'id': 'a'})
edited('PathPlacement', 'not UTF-8', 'malformed', [('id=a', 'id=~FF')], conditions={'id': 'a'})
edited('PathPlacement', 'padding', 'malformed', [('/report', '=/report')])
edited('PathPlacement', 'no signature', 'malformed', lambda link: '/expires=1900000000/report.pdf')
edited('PathPlacement', 'the parameters in the query', 'unsigned', [], minted={'keys': [{'secret': SECRET}]})
edited('PathPlacement', 'the segment is not the first', 'unsigned', [('/expires', '/x/expires')])
edited('PathPlacement', 'a segment that begins with signature', 'unsigned', lambda link: '/signature=' + 'A' * 43 + ',expires=1900000000/')
edited('PathPlacement', 'a folder of that name', 'unsigned', lambda link: '/expires/report.pdf')
edited('PathPlacement', 'an unsigned path', 'unsigned', lambda link: '/report.pdf')
edited('PathPlacement', 'a user name', 'unsigned', lambda link: link.replace('//', '//user@'))
edited('PathPlacement', 'longer than a link may be', 'malformed', lambda link: link + '/' + 'x' * 16384)

group()
edited('PathPlacement', 'a link of path placement where query is agreed', 'unsigned', [], minted={'keys': [{'secret': SECRET}],
    'placement': 'path'})

# Names

group(parameters={'expires': 'e', 'signature': 's', 'method': 'X-Method', 'id': 'a.b_c'})
signed('Renamed', 'other names', 'ok', REPORT, {'method': 'PUT', 'id': '1'}, method='PUT')
signed('Renamed', 'the old name is an ordinary parameter', 'ok', '/?expires=1&signature=2')
signed('Renamed', 'the old name, changed', 'bad_signature', '/?expires=1', change=[('expires=1', 'expires=2')])
edited('Renamed', 'a link with the names of the page', 'unsigned', [], minted={'keys': [{'secret': SECRET}]})
edited('Renamed', 'a new name twice', 'malformed', lambda link: link + '&e=1900000000')
edited('Renamed', 'a new name with escapes', 'ok', [('&e=', '&%65=')])

group(parameters={'expires': 'signature', 'signature': 'expires'})
signed('Renamed', 'names that are swapped', 'ok', REPORT)

group(parameters={'expires': 'e', 'signature': 's'}, placement='path')
signed('Renamed', 'other names in the path', 'ok', '/videos/1.ts')
edited('Renamed', 'the names of the page in the path', 'unsigned', [], minted={'keys': [{'secret': SECRET}], 'placement': 'path'})

# Parameters that are not covered

group(ignore=['utm_*', 'fbclid'])
signed('Ignore', 'added later', 'ok', REPORT, change=[('page=2', 'page=2&utm_source=mail&fbclid=1')])
signed('Ignore', 'there when it was signed, changed', 'ok', '/?utm_source=mail&a=1', change=[('mail', 'web')])
signed('Ignore', 'behind the signature', 'ok', REPORT, change=lambda link: link + '&fbclid=x%zz')
signed('Ignore', 'a longer name', 'bad_signature', REPORT, change=lambda link: link + '&fbclid2=1')
signed('Ignore', 'a shorter name', 'bad_signature', REPORT, change=lambda link: link + '&utm=1')
signed('Ignore', 'the beginning itself', 'ok', REPORT, change=lambda link: link + '&utm_')
signed('Ignore', 'another case', 'bad_signature', REPORT, change=lambda link: link + '&UTM_source=1')
signed('Ignore', 'an escaped name', 'ok', REPORT, change=lambda link: link + '&%75tm%5Fsource=1&%66bclid')
signed('Ignore', 'a name that cannot be decoded', 'ok', REPORT, change=lambda link: link + '&utm_%zz=1')
signed('Ignore', 'an escaped name that cannot be decoded', 'ok', REPORT, change=lambda link: link + '&%75tm_%zz=1')
signed('Ignore', '; behind which some servers read a parameter', 'bad_signature', REPORT, change=lambda link: link + '&utm_x=1;admin=1')
signed('Ignore', '= after ], where a name ends to qs', 'bad_signature', REPORT, change=lambda link: link + '&fbclid=x]=y')
signed('Ignore', '= after an escaped ], where a name ends to qs', 'bad_signature', REPORT, change=lambda link: link + '&fbclid=x%5d=y')
signed('Ignore', 'a name that ends with ]', 'ok', REPORT, change=lambda link: link + '&utm_[x]=y')
signed('Ignore', '1,000 ignored parameters', 'bad_signature', REPORT, change=[('?', '?' + 'utm_&' * 1000)])
signed('Ignore', '1,000 ignored parameters when it was signed', 'bad_signature', '/?' + 'utm_&' * 1000 + 'a', change=[('utm_&', '')])
edited('Ignore', 'the longest link that is read', 'ok', lambda link: link + '&utm_=' + 'x' * (16384 - len(link) - 6))
edited('Ignore', 'too long by one', 'malformed', lambda link: link + '&utm_=' + 'x' * (16385 - len(link) - 6))
signed('Ignore', 'nothing else remains', 'ok', '/?utm_id=1')

group(ignore=['expires', '*'])
signed('Ignore', 'all ignored, but parameters of the link are read', 'ok', REPORT, change=[('page=2', 'x=y')])
signed('Ignore', 'all ignored, another expiry', 'bad_signature', REPORT, change=[('1900000000', '1900000001')])

# Purpose and origin

group(purpose='unsubscribe')
signed('Purpose', 'the purpose', 'ok', REPORT)
edited('Purpose', 'no purpose', 'bad_signature', [], minted={'keys': [{'secret': SECRET}]})
edited('Purpose', 'another purpose', 'bad_signature', [], minted={'keys': [{'secret': SECRET}], 'purpose': 'subscribe'})

group(purpose='größe\n%0A ~')
signed('Purpose', 'a purpose with a line feed', 'ok', REPORT)

group()
edited('Purpose', 'a purpose where none is agreed', 'bad_signature', [], minted={'keys': [{'secret': SECRET}], 'purpose': 'unsubscribe'})

group(origin=True)
signed('Origin', 'the origin', 'ok', REPORT)
signed('Origin', 'another host', 'bad_signature', REPORT, change=[('cdn', 'evil')])
signed('Origin', 'another scheme', 'bad_signature', REPORT, change=[('https', 'http')])
signed('Origin', 'another port', 'bad_signature', REPORT, change=[('cdn.example', 'cdn.example:8443')])
signed('Origin', 'a port', 'ok', 'http://localhost:8080/a')
signed('Origin', 'the default port of https', 'ok', REPORT, change=[('cdn.example', 'cdn.example:443')])
signed('Origin', 'signed with the default port of http', 'ok', 'http://cdn.example:80/a', change=[(':80', '')])
signed('Origin', 'the default port of the other scheme', 'bad_signature', 'https://cdn.example:80/a', change=[(':80', '')])
signed('Origin', 'upper case', 'ok', 'HTTPS://CDN.Example:443/A', change=[('HTTPS://CDN.Example:443', 'https://cdn.example')])
signed('Origin', 'an IPv6 host', 'ok', 'http://[2001:DB8::1]:80/a', change=[('DB8::1]:80', 'db8::1]')])
signed('Origin', 'a host beyond ASCII, as clients write it', 'ok', 'https://xn--bcher-kva.example/a', change=[('https', 'HTTPS')])
signed('Origin', 'a host beyond ASCII', 'malformed', 'https://xn--bcher-kva.example/a', change=[('xn--bcher-kva', 'bücher')])
signed('Origin', 'a path alone', 'bad_signature', REPORT, change=[('https://cdn.example', '')])
edited('Origin', 'a path alone, and an unknown key', 'unknown_key', [('https://cdn.example', '')],
    minted={'keys': [NEW], 'origin': True})
signed('Origin', 'a prefix', 'ok', VIDEO, {'prefix': '/videos/'}, change=[('42', '43')])
signed('Origin', 'a prefix on another host', 'bad_signature', VIDEO, {'prefix': '/videos/'}, change=[('cdn', 'evil')])
edited('Origin', 'a link that does not cover the origin', 'bad_signature', [], minted={'keys': [{'secret': SECRET}]})

group()
edited('Origin', 'a link that covers the origin where that is not agreed', 'bad_signature', [], minted={'keys': [{'secret': SECRET}],
    'origin': True})

used = {flag for g in groups for test in g['tests'] for flag in test['flags']}
if used != NOTES.keys():
    raise SystemExit(f'flags without a vector or a note: {used ^ NOTES.keys()}')

bundle = {
    'scheme': 'hmac',
    'schema': 'schema.json',
    'about': {
        'kind': 'Own format',
        'links': "SecureLink's own format",
        'comparedWith': 'test/schemes/hmac/securelink.py, written from docs/spec.md alone',
    },
    'numberOfTests': sum(len(g['tests']) for g in groups),
    'covered': ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature'],
    'reasons': sorted({t['result'] for g in groups for t in g['tests']}),
    'source': {
        'name': 'test/schemes/hmac/securelink.py',
        'how': 'Made by test/schemes/hmac/make_vectors.py with an independent implementation in Python that was written from docs/spec.md.',
    },
    'notes': {flag: {'bugType': kind, 'description': description} for flag, (kind, description) in NOTES.items()},
    'testGroups': groups,
}
FILE.write_text(json.dumps(bundle, indent=2, ensure_ascii=True) + '\n', encoding='utf-8')
print(f'{bundle["numberOfTests"]} vectors in {FILE.name}')
