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
visit       now, and perhaps method, ip, tolerance, revoked, redeemed: how many uses are consumed already; only redeeming needs it

Times are datetimes with a time zone; tolerance and align are timedeltas. `sign` raises ValueError with a sentence. `verify` never
raises for a URL: it returns 'ok' or the reason of the refusal, and the claims if the signature was good.

As a program it reads one JSON object per line and answers with one per line. Times are then ISO strings, and durations are strings such as '30s':

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
    'signature': r'[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{86}',
}
LONGEST = 16384
MOST_PIECES = 1000
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


def decodable(text):
    """Every % begins an escape, and the escaped bytes are UTF-8."""
    try:
        decode(text)
        return True
    except ValueError:
        return False


PLAIN = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'
ESCAPES = {f'%{ord(character):02X}': character for character in PLAIN}


def normal(text, kept=''):
    """Section 4: escapes of plain characters become these, other escapes upper case; other characters are escaped, but those that are kept."""

    def replace(match):
        found = match[0]
        if len(found) == 3:
            return ESCAPES.get(found.upper(), found.upper())
        return found if found in kept else encode(found)

    return re.sub(r'%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]', replace, text)


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
    """All pieces of a query, the empty ones, too."""
    return query[1:].split('&') if query else []


def query_of(pieces):
    joined = '&'.join(pieces)
    return '?' + joined if joined else ''


def name_of(piece):
    """The name of a piece in normal form. Names that cannot be decoded have one here, too."""
    return normal(whole(piece.partition('=')[0].replace('+', '%20')))


def has_dot_segment(path):
    """Section 3: a segment . or .., escaped or not, alone or with a ; behind it."""
    return re.search(r'/(\.|%2e){1,2}(;|/|\Z)', path, re.IGNORECASE) is not None


def is_request(url):
    """Section 3: can a client have sent this?"""
    origin, path, _, _ = split(url)
    if not re.fullmatch('[!-~]*', url) or '#' in url:
        return False
    if not is_web_origin(origin):
        return False
    return path.startswith('/') and '\\' not in path and not has_dot_segment(path) and (origin != '' or not path.startswith('//'))


def is_web_origin(origin):
    """Section 3: empty, or a scheme of the web and a host with at most one port."""
    return re.fullmatch(r'((https?|wss?)://(\[[0-9a-f:.]+\]|[^:\[\]]+)(:[0-9]{1,5})?)?', origin, re.IGNORECASE) is not None


# Section 4: normal form


def normal_origin(origin):
    origin = re.sub('[A-Z]', lambda m: m[0].lower(), origin)
    default = {'https': ':443', 'http': ':80'}.get(origin.partition(':')[0])
    return origin[: -len(default)] if default and origin.endswith(default) else origin


def normal_path(path):
    return normal(path, kept='/;') if decodable(path) else path


def is_own_form(query, size):
    """Parsers differ about the pieces of this query. `size` is the number of pieces of the whole request."""
    return any(hides_name(piece) for piece in pieces(query)) or not decodable(query) or size > MOST_PIECES


def hides_name(piece):
    """Some servers read another parameter in this piece."""
    return ';' in piece or re.search('(?:]|%5D)=', piece.partition('=')[2], re.IGNORECASE) is not None


def normal_query(query, size):
    if is_own_form(query, size):
        return query
    parameters = []
    for piece in pieces(query):
        if piece:
            name, _, value = piece.replace('+', '%20').partition('=')
            parameters.append((normal(name), normal(value)))
    orders = [order_of(name) for name, _ in parameters]
    if None not in orders:
        # Python's sort keeps the order of equals.
        parameters.sort(key=lambda parameter: order_of(parameter[0]))
    return query_of([f'{name}={value}' for name, value in parameters])


def order_of(name):
    """The first run of letters and digits, in lower case; None where all pieces keep their order."""
    name = decode(name)
    first = re.search('[A-Za-z0-9]+', name)
    if re.search('[\\[\\]\0]', name[: first.start()] if first else name):
        return None
    return first[0].lower() if first else ''


def rest(origin, path, query, size):
    """The normal form of what remains of a URL."""
    return normal_origin(origin), normal_path(path), normal_query(query, size)


def is_below(path, prefix):
    """Section 7, step 4."""
    if normal_path(prefix) != prefix or not decodable(prefix) or '\\' in prefix:
        return False
    folder = prefix if prefix.endswith('/') else prefix + '/'
    segments = re.split('/|%2F|%5C', re.sub('%2E', '.', path, flags=re.IGNORECASE), flags=re.IGNORECASE)
    climbs = any(segment.partition(';')[0] == '..' for segment in segments)
    return (path == prefix or path.startswith(folder)) and not climbs


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
    if length(url) > LONGEST:
        raise Unreadable('malformed')
    origin, path, query, found, faulty = take_apart(settings, url)
    if not any(name in ('expires', 'signature') for name, _ in found):
        raise Unreadable('unsigned')
    parameters = dict(found)
    if (
        faulty
        or not is_request(url)
        or (not origin and path.startswith('//'))
        or len(found) != len(parameters)
        or not {'expires', 'signature'} <= parameters.keys()
    ):
        raise Unreadable('malformed')
    for name, value in found:
        try:
            # A signature has one spelling, so no escapes.
            parameters[name] = value if name == 'signature' else decode(value)
        except ValueError:
            raise Unreadable('malformed') from None
        if not has_form(name, parameters[name]):
            raise Unreadable('malformed')
    if 'uses' in parameters and 'id' not in parameters:
        raise Unreadable('malformed')
    if len(parameters['signature']) != (86 if 'net' in parameters else 43):
        raise Unreadable('malformed')
    return rest(origin, path, query, len(pieces(split(url)[2]))), parameters


def take_apart(settings, url):
    """Origin, path and query of the rest; the parameters that were found, not decoded; and whether something else stands among them."""
    names = names_in(settings)
    in_path = settings.get('placement') == 'path'
    origin, path, query, _ = split(url)
    found, faulty = [], False
    if in_path:
        path, found, faulty = take_from_path(path, names)
    parts = pieces(query)
    too_many = len(parts) > MOST_PIECES
    kept = []
    for piece in parts:
        name = None if in_path else names.get(name_of(piece))
        if name:
            found.append((name, piece.partition('=')[2].replace('+', '%20')))
            faulty = faulty or hides_name(piece)
        elif too_many or not is_ignored(settings, piece):
            kept.append(piece)
            # To PHP and qs, id[] is id, and the last one counts.
            faulty = faulty or (not in_path and name_of(piece) not in names and re.sub('^(%20)+|%(5B|00).*', '', name_of(piece)) in names)
            # Parsers drop the pieces behind so many, so those of the link must be the last.
            faulty = faulty or (too_many and not in_path and len(found) > 0)
    return origin, path, query_of(kept), found, faulty


def is_ignored(settings, piece):
    name = name_of(piece)

    def fits(other):
        return name.startswith(encode(other[:-1])) if other.endswith('*') else name == encode(other)

    return not hides_name(piece) and any(fits(other) for other in settings.get('ignore') or [])


def take_from_path(path, names):
    """In the segment, `~` stands for `%`. The last answer: it holds something that is no parameter of the link."""
    first, slash, below = path[1:].partition('/')
    first = re.sub('%(2C|3D|7E)', lambda m: chr(int(m[1], 16)), first, flags=re.IGNORECASE)
    start = next(name for name in names if names[name] == 'expires') + '='
    if not (path.startswith('/') and first.startswith(start)):
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
            return 'needs_redeem'
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

    check_url(url)
    url = as_sent(url)
    names = names_in(settings)
    origin, path, query, fragment = split(url)
    in_path = settings.get('placement') == 'path'
    _, _, rest_of_query, taken, faulty = take_apart(settings, url)
    if taken or faulty:
        raise ValueError('The URL has parameters of these names already, or of names that servers read so.')
    if settings.get('origin') and not origin:
        raise ValueError('The URL has no origin to cover.')

    key, conditions = signing_key(settings['keys'], conditions, now)
    parameters, field = parameters_of(conditions, now)
    if 'id' in key:
        parameters['key'] = key['id']
    for name, value in parameters.items():
        if not has_form(name, value):
            raise ValueError(f'A link cannot carry this value as its {name}.')

    size = len(pieces(query)) + (0 if in_path else len(parameters) + 1)
    parts = rest(origin, path, query if size > MOST_PIECES else rest_of_query, size)
    if 'prefix' in parameters and not is_below(parts[1], parameters['prefix']):
        raise ValueError('The URL is not below the prefix.')
    fields = fields_of(settings, parts, parameters)
    parameters['signature'] = mac(key, fields) + (mac(key, [*fields, field]) if 'net' in parameters else '')

    written = [f'{shown}={encode(parameters[name])}' for shown, name in names.items() if name in parameters]
    if in_path:
        link = origin + '/' + ','.join(written).replace('~', '~7E').replace('%', '~') + path + query + fragment
    else:
        link = url[: len(url) - len(fragment)] + ('&' if query else '?') + '&'.join(written) + fragment
    if length(link) > LONGEST:
        raise ValueError('The link is too long to be read.')
    return link


def check_url(url):
    origin, path, _, _ = split(url)
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
    if has_dot_segment(path):
        raise ValueError('The path has a dot segment.')
    if url.startswith('//'):
        raise ValueError('The URL begins with two slashes.')
    if not is_web_origin(origin):
        raise ValueError('The origin is not of the web.')
    if not re.fullmatch('[!-~]*', origin):
        raise ValueError('The host has characters beyond ASCII.')


def as_sent(url):
    """Section 8: the URL as clients send it."""
    origin, _, _, fragment = split(url)
    target = url[len(origin) : len(url) - len(fragment)]
    target = re.sub(r'[^A-Za-z0-9\-._~!$&()*+,;=:@/?%[\]]|%(?![0-9A-Fa-f]{2})', lambda m: encode(m[0]), target)
    return origin + target + re.sub('[^!-~]', lambda m: encode(m[0]), fragment)


def signing_key(keys, conditions, now):
    """The first key in time that lasts as long as the link; else the first one in time, and the link expires with it."""
    span = conditions.get('align', SECOND)
    expires = EPOCH - (EPOCH - conditions['expires']) // span * span  # rounded up
    present = whole_seconds(now)
    in_time = [k for k in keys if (k.get('starts') or now) <= now and (not k.get('expires') or present < whole_seconds(k['expires']))]
    if not in_time:
        raise ValueError('No key is in time.')
    for key in in_time:
        if not key.get('expires') or expires <= whole_seconds(key['expires']):
            return key, conditions
    shorter = {name: value for name, value in conditions.items() if name != 'align'}
    return in_time[0], {**shorter, 'expires': whole_seconds(in_time[0]['expires'])}


def whole_seconds(moment):
    return EPOCH + (moment - EPOCH) // SECOND * SECOND


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
        if has_dot_segment(conditions['prefix']):
            raise ValueError('A prefix has no dot segments.')
        parameters['prefix'] = normal_path(as_sent(conditions['prefix']))
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
