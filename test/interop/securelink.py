#!/usr/bin/env python3
"""SecureLink's `hmac` links in Python 3.9+, with the standard library alone: a model for other languages.

Written from docs/spec.md; the section numbers below are those of that page.

    from datetime import datetime, timedelta, timezone
    from securelink import sign, verify

    settings = {'keys': [{'id': '2026-11', 'secret': '0123456789abcdef0123456789abcdef'}]}
    now = datetime.now(timezone.utc)
    link = sign(settings, 'https://cdn.example/report.pdf?page=2', {'expires': now + timedelta(minutes=10)}, now)
    reason, claims = verify(settings, link, {'now': now})        # 'ok', {'resource': …, 'expires': …}

settings    keys: a list of {secret: text or bytes, id?, starts?, expires?}, and perhaps purpose, origin, ignore, parameters, placement
conditions  expires, and perhaps starts, align, method, ip, prefix, uses, id
visit       now, and perhaps method, ip, tolerance, revoked, redeemed: how many uses are taken (only who counts them gives it)

Moments are datetimes with a time zone; tolerance and align are timedeltas. `sign` raises ValueError with a sentence. `verify` raises
nothing for any URL: it answers 'ok' or the reason of the refusal, and the claims if the signature was good.

Run as a program it reads a JSON object per line and answers one per line; then moments are ISO texts and spans are texts such as '30s':

    {"op": "sign", "settings": {…}, "url": "…", "conditions": {…}, "now": "…"}    ->  {"link": "…"} or {"error": "…"}
    {"op": "verify", "settings": {…}, "url": "…", "visit": {…}}                   ->  {"result": "…", "claims": {…}}
"""

import base64
import hmac
import ipaddress
import json
import re
import secrets
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote_to_bytes

# Section 2: the parameters in the order in which they are written, each with its form.
FORMS = {
    'expires': r'[1-9][0-9]{0,10}',
    'starts': r'[1-9][0-9]{0,10}',
    'method': r'[A-Z-]+(,[A-Z-]+)*',
    'net': r'[0-9]{1,3}',
    'prefix': r'(?s:/.*)',
    'uses': r'[1-9][0-9]{0,8}',
    'id': r'(?s:.+)',
    'key': r'(?s:.+)',
    'signature': r'(?s:.+)',
}
LONGEST = 16384
SPACE = ' \t-\r\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
MOST_TOLERANCE = timedelta(minutes=5)


class Unreadable(Exception):
    """Why a link cannot be read: 'unsigned' or 'malformed'."""


# Percent-encoding


def encode(text):
    """Section 2: every byte of the UTF-8 but letters, digits and - . _ ~ is escaped."""
    return quote(text, safe='')


def decode(text):
    """The text behind the escapes. Raises ValueError for a broken escape, and for what is not UTF-8."""
    if re.search('%(?![0-9A-Fa-f]{2})', text):
        raise ValueError('a broken escape')
    return unquote_to_bytes(text).decode('utf-8')


def normal(text):
    """Section 4: percent-encoding normal form."""

    def replace(match):
        escape, character = match.groups()
        if character:
            return encode(character)
        return re.sub('%(2D|2E|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)', lambda m: chr(int(m[1], 16)), '%' + escape.upper())

    return re.sub(r"%([0-9A-Fa-f]{2})|([^A-Za-z0-9\-._~!$&()*+,;=:@/?])", replace, whole(text))


def length(text):
    """In characters, of which those beyond U+FFFF count as two."""
    return len(text.encode('utf-16-le', 'surrogatepass')) // 2


def whole(text):
    """The text with U+FFFD for each half of a surrogate pair, which UTF-8 cannot express."""
    return re.sub('[\ud800-\udfff]', '\ufffd', text)


# The parts of a URL


def split(url):
    """Origin, path, query with its ? and fragment with its #, as they stand there. The path of what is no URL does not begin with /."""
    match = re.fullmatch(r'([A-Za-z][A-Za-z0-9+.-]*://[^/?#\\@' + SPACE + r']+)?([^?#]*)(\?[^#]*)?(#.*)?', url, re.DOTALL)
    origin, path, query, fragment = (part or '' for part in match.groups())
    return origin, path or (origin and '/'), query, fragment


def pieces(query):
    return [piece for piece in query[1:].split('&') if piece]


def name_of(piece):
    """The decoded name, or the name as it stands if it cannot be decoded."""
    name = piece.partition('=')[0]
    try:
        return decode(name)
    except ValueError:
        return name


def normal_origin(origin):
    origin = re.sub('[A-Z]', lambda m: m[0].lower(), whole(origin))
    default = {'https': ':443', 'http': ':80'}.get(origin.partition(':')[0])
    return origin[: -len(default)] if default and origin.endswith(default) else origin


def normal_path(path):
    """RFC 3986, section 5.2.4, for a path that is empty or begins with /."""
    out = []
    segments = normal(path).split('/')[1:] or ['']
    for segment in segments:
        if segment == '..':
            del out[-1:]
        elif segment != '.':
            out.append(segment)
    if segments[-1] in ('.', '..'):
        out.append('')
    return '/' + '/'.join(out)


def normal_query(query, ignore):
    """Without the ignored parameters, ordered by name; Python's sort keeps the order of equals."""

    def ignored(piece):
        name = name_of(piece)
        return any(name.startswith(i[:-1]) if i.endswith('*') else name == i for i in ignore)

    kept = [normal(piece) for piece in pieces(query) if not ignored(piece)]
    return '?' + '&'.join(sorted(kept, key=lambda piece: piece.partition('=')[0])) if kept else ''


def rest(settings, origin, path, query):
    """The normal form of what remains of a URL."""
    return normal_origin(origin), normal_path(path), normal_query(query, settings.get('ignore') or [])


def is_below(path, prefix):
    """Section 7, step 4."""
    folder = prefix if prefix.endswith('/') else prefix + '/'
    segments = re.split('/|%2F|%5C', path)
    return (path == prefix or path.startswith(folder)) and '..' not in segments


# Sections 5 and 6: text and signature


def names_in(settings):
    """What this link calls its parameters: {name in the link: name in section 2}."""
    other = settings.get('parameters') or {}
    return {other.get(name, name): name for name in FORMS}


def fields_of(settings, parts, parameters):
    origin, path, query = parts
    return [
        'SecureLink hmac v1',
        encode(settings.get('purpose') or ''),
        origin if settings.get('origin') else '',
        '' if 'prefix' in parameters else path,
        query,
        *(encode(parameters.get(name, '')) for name in FORMS if name != 'signature'),
    ]


def mac(key, fields):
    """The HMAC of the text of these fields, as 43 characters."""
    secret = key['secret'].encode('utf-8') if isinstance(key['secret'], str) else key['secret']
    digest = hmac.new(secret, '\n'.join(fields).encode('utf-8'), 'sha256').digest()
    return base64.urlsafe_b64encode(digest).decode('ascii').rstrip('=')


def matches(signature, expected):
    # The encoded texts are compared, in constant time, so there is no decoder that could accept a second spelling.
    return hmac.compare_digest(signature.encode('utf-8'), expected.encode('utf-8'))


def address_of(text):
    """An IPv4 or IPv6 address, without brackets and zone. IPv4-mapped is IPv4. Raises ValueError."""
    if re.search(r'(^|\.|:)0[0-9]+(\.|$)', text) and '.' in text:
        raise ValueError('leading zeros')  # Python 3.9.4 and before accept them.
    text = re.sub(r'%[A-Za-z0-9_.-]+\Z', '', re.sub(r'^\[(.*)\]\Z', r'\1', text))
    if '%' in text:
        raise ValueError('a zone that is none')  # Python accepts more of them.
    address = ipaddress.ip_address(text)
    return address if address.version == 4 else address.ipv4_mapped or address


def network(address, net):
    """The 14th field. Raises ValueError when the address has not so many bits."""
    v4 = address.version == 4
    bits = 0xFFFF00000000 | int(address) if v4 else int(address)
    count = 96 + net if v4 else net
    if not 0 <= net or count > 128:
        raise ValueError('The address has not so many bits.')
    masked = bits >> (128 - count) << (128 - count)
    return f'{masked:032x}'[: (count + 3) // 4]


# Section 3: reading


def read(settings, url):
    """The normal form of the rest, and the parameters of the link under their names of section 2. Raises Unreadable."""
    names = names_in(settings)
    origin, path, query, _ = split(url)
    if settings.get('placement') == 'path':
        if not path.startswith('/') or length(url) > LONGEST:
            raise Unreadable('unsigned')
        path, found, strange = take_from_path(path, names)
    else:
        query, found, strange = take_from_query(query, names)

    if not any(name in ('expires', 'signature') for name, _ in found):
        raise Unreadable('unsigned')
    parameters = dict(found)
    bad = (
        not path.startswith('/')
        or length(url) > LONGEST
        or strange
        or len(found) != len(parameters)
        or not {'expires', 'signature'} <= parameters.keys()
    )
    if bad:
        raise Unreadable('malformed')
    for name, value in found:
        try:
            parameters[name] = decode(value)
        except ValueError:
            raise Unreadable('malformed') from None
        if not has_form(name, parameters[name]):
            raise Unreadable('malformed')
    if 'uses' in parameters and 'id' not in parameters:
        raise Unreadable('malformed')
    if length(parameters['signature']) != (86 if 'net' in parameters else 43):
        raise Unreadable('malformed')
    return rest(settings, origin, path, query), parameters


def take_from_query(query, names):
    found, others = [], []
    for piece in pieces(query):
        name = names.get(name_of(piece))
        if name:
            found.append((name, piece.partition('=')[2]))
        else:
            others.append(piece)
    return '?' + '&'.join(others), found, False


def take_from_path(path, names):
    """In the segment, `~` stands for `%`. `strange` says that it holds something that is no parameter of the link."""
    first, slash, below = path[1:].partition('/')
    start = next(name for name in names if names[name] == 'expires') + '='
    if not path.startswith('/' + start):
        return path, [], False
    decodable = [piece.replace('~', '%') for piece in first.split(',') if piece]
    found = [(names.get(name_of(piece)), piece.partition('=')[2]) for piece in decodable]
    return slash + below or '/', found, any(name is None for name, _ in found)


def has_form(name, value):
    return re.fullmatch(FORMS[name], value) is not None


# Section 7: verifying


def verify(settings, url, visit):
    """('ok' or the reason of the refusal, claims or None)"""
    try:
        parts, parameters = read(settings, url)
    except Unreadable as reason:
        return str(reason), None

    keys = settings['keys']
    if 'key' in parameters:
        keys = [key for key in keys if key.get('id') == parameters['key']]
        if not keys:
            return 'unknown_key', None

    fields = fields_of(settings, parts, parameters)
    first, second = parameters['signature'][:43], parameters['signature'][43:]
    key = next((key for key in keys if matches(first, mac(key, fields))), None)
    if key is None or (settings.get('origin') and not parts[0]):
        return 'bad_signature', None

    claims = claims_of(parts, parameters)
    if key.get('starts'):
        claims['starts'] = max(key['starts'], claims.get('starts', EPOCH))
    known = 'net' in parameters and is_known(visit.get('ip') or '', key, fields, int(parameters['net']), second)
    if known:
        claims['ip'] = re.sub(r'^::ffff:(?=.*\.)', '', visit['ip'], flags=re.IGNORECASE) + claims['ip']
    return refusal(key, known, parts[1], claims, visit) or 'ok', claims


def is_known(ip, key, fields, net, second):
    """The second HMAC matches for this address."""
    try:
        return matches(second, mac(key, [*fields, network(address_of(ip), net)]))
    except ValueError:
        return False


def refusal(key, known, path, claims, visit):
    """Steps 4 to 9, for a link whose first HMAC is good. None when nothing is wrong."""
    if 'prefix' in claims and not is_below(path, claims['prefix']):
        return 'wrong_path'

    methods = claims.get('methods', ['GET', 'HEAD'])
    method = visit.get('method', 'GET').upper()
    if method not in methods and not (method == 'HEAD' and 'GET' in methods):
        return 'wrong_method'

    if 'ip' in claims and not known:
        return 'wrong_ip'

    now, tolerance = visit['now'], min(visit.get('tolerance', timedelta(0)), MOST_TOLERANCE)
    if now - tolerance >= claims['expires']:
        return 'expired'
    if key.get('expires') and now - tolerance >= key['expires']:
        return 'key_expired'
    if 'starts' in claims and now + tolerance < claims['starts']:
        return 'too_early'

    if visit.get('revoked'):
        return 'revoked'
    if 'uses' in claims:
        if 'redeemed' not in visit:
            return 'single_use'
        if visit['redeemed'] >= claims['uses']:
            return 'used'
    if key.get('expires'):
        claims['expires'] = min(key['expires'], claims['expires'])
    return None


def claims_of(parts, parameters):
    claims = {'resource': ''.join(parts), 'expires': EPOCH + int(parameters['expires']) * SECOND}
    if 'starts' in parameters:
        claims['starts'] = EPOCH + int(parameters['starts']) * SECOND
    if 'method' in parameters:
        claims['methods'] = parameters['method'].split(',')
    if 'net' in parameters:
        claims['ip'] = '/' + parameters['net']
    if 'prefix' in parameters:
        claims['prefix'] = parameters['prefix']
    if 'uses' in parameters:
        claims['uses'] = int(parameters['uses'])
    if 'id' in parameters:
        claims['id'] = parameters['id']
    if 'key' in parameters:
        claims['keyId'] = parameters['key']
    return claims


# Section 8: signing


def sign(settings, url, conditions, now):
    """The link. Raises ValueError with a sentence when it cannot be made."""
    for key in settings['keys']:
        if len(key['secret'].encode('utf-8') if isinstance(key['secret'], str) else key['secret']) < 32:
            raise ValueError('A secret must have at least 32 bytes.')
    in_time = (k for k in settings['keys'] if (k.get('starts') or now) <= now and (not k.get('expires') or now < k['expires']))
    key = next(in_time, None)
    if key is None:
        raise ValueError('No key is in time.')

    check_url(url)
    names = names_in(settings)
    origin, path, query, fragment = split(url)
    in_path = settings.get('placement') == 'path'
    taken = take_from_path(path, names)[1] if in_path else take_from_query(query, names)[1]
    if taken:
        raise ValueError('The URL has parameters of these names already.')
    if settings.get('origin') and not origin:
        raise ValueError('The URL has no origin to cover.')
    if in_path and re.search(r'/(\.|%2e){1,2}(/|$)', path, re.IGNORECASE):
        raise ValueError('A client would resolve the dot segments and lose the token.')

    parameters, field = parameters_of(conditions, now)
    if 'id' in key:
        parameters['key'] = key['id']
    for name, value in parameters.items():
        if not has_form(name, value):
            raise ValueError(f'A link cannot carry this value as its {name}.')

    parts = rest(settings, origin, path, query)
    if 'prefix' in parameters and not is_below(parts[1], parameters['prefix']):
        raise ValueError('The URL is not below the prefix.')
    fields = fields_of(settings, parts, parameters)
    parameters['signature'] = mac(key, fields) + (mac(key, [*fields, field]) if 'net' in parameters else '')

    written = [f'{shown}={encode(parameters[name])}' for shown, name in names.items() if name in parameters]
    if in_path:
        return origin + '/' + ','.join(written).replace('~', '~7E').replace('%', '~') + path + query + fragment
    return url[: len(url) - len(fragment)] + ('&' if query else '?') + '&'.join(written) + fragment


def check_url(url):
    _, path, _, _ = split(url)
    if url != whole(url):
        raise ValueError('The URL has half a surrogate pair.')
    if re.search('[\x00-\x1f\x7f]', url):
        raise ValueError('The URL has control characters.')
    if '\\' in path:
        raise ValueError('The URL has a backslash before the query.')
    if not path.startswith('/'):
        raise ValueError('This is neither an absolute URL without a user name nor a path that begins with /.')
    if re.search(f'^[{SPACE}]|[{SPACE}]\\Z', url):
        raise ValueError('There is white space around the URL.')


def seconds(moment):
    return str((moment - EPOCH) // SECOND)


def parameters_of(conditions, now):
    """The parameters but key and signature, and the 14th field for `net`."""
    known = {'expires', 'starts', 'align', 'method', 'ip', 'prefix', 'uses', 'id'}
    if not conditions.keys() <= known:
        raise ValueError('A link cannot carry this condition.')

    expires, starts = conditions['expires'], conditions.get('starts')
    span = conditions.get('align', SECOND)
    if expires <= now:
        raise ValueError('The expiry is not in the future.')
    expires = EPOCH - (EPOCH - expires) // span * span  # rounded up
    parameters, field = {'expires': seconds(expires)}, None
    if starts:
        parameters['starts'] = seconds(starts)
        if int(parameters['starts']) >= int(parameters['expires']):
            raise ValueError('The start is not before the expiry.')
    if 'method' in conditions:
        methods = conditions['method']
        methods = {m.upper() for m in ([methods] if isinstance(methods, str) else methods)}
        if not all(re.fullmatch('[A-Z-]+', m) for m in methods):
            raise ValueError('A method has letters and - alone.')
        parameters['method'] = ','.join(sorted(methods))
    if 'ip' in conditions:
        parameters['net'], field = network_of(conditions['ip'])
    if 'prefix' in conditions:
        if not re.fullmatch(r'/[^?#\\]*', conditions['prefix']):
            raise ValueError('A prefix is a path that begins with /.')
        parameters['prefix'] = normal_path(conditions['prefix'])
    if 'uses' in conditions:
        parameters['uses'] = str(conditions['uses'])
        parameters['id'] = secrets.token_urlsafe(16)
    if 'id' in conditions:
        parameters['id'] = conditions['id']
    return parameters, field


def network_of(ip):
    """'203.0.113.0/24' as `net` and the 14th field."""
    text, slash, net = ip.partition('/')
    if slash and not re.fullmatch('0|[1-9][0-9]{0,2}', net):
        raise ValueError('This is neither an address nor a network.')
    address = address_of(text)
    bits = int(net) if slash else address.max_prefixlen
    if slash and address.version == 4 and ':' in text:
        bits -= 96  # It was written as IPv4-mapped.
    return str(bits), network(address, bits)


# The program


def moments(record):
    """A copy in which ISO texts are datetimes, and '30s' is a timedelta."""
    units = {'s': 'seconds', 'm': 'minutes', 'h': 'hours', 'd': 'days'}
    copy = dict(record)
    for name in ('now', 'expires', 'starts'):
        if name in copy:
            copy[name] = datetime.fromisoformat(copy[name].replace('Z', '+00:00'))
    for name in ('tolerance', 'align'):
        if name in copy:
            copy[name] = timedelta(**{units[copy[name][-1]]: float(copy[name][:-1])})
    return copy


def iso(moment):
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def answer(question):
    settings = dict(question['settings'], keys=[moments(key) for key in question['settings']['keys']])
    if question['op'] == 'sign':
        try:
            return {'link': sign(settings, question['url'], moments(question['conditions']), moments(question)['now'])}
        except ValueError as error:
            return {'error': str(error)}
    result, claims = verify(settings, question['url'], moments(question['visit']))
    if claims is None:
        return {'result': result}
    return {'result': result, 'claims': {name: iso(v) if isinstance(v, datetime) else v for name, v in claims.items()}}


if __name__ == '__main__':
    for line in sys.stdin.buffer:
        print(json.dumps(answer(json.loads(line))), flush=True)
