"""For test/schemes/hmac.reprinted.test.ts: reads queries as Python does, and prints URLs as urllib and requests print them. A line in, a line out."""

import json
import sys
from urllib.parse import parse_qs, parse_qsl, quote, unquote, unquote_to_bytes, urlencode


def reading(query):
    """A query as one text: names and their values, in the order of names. Also as Pythons before 3.9.2 and Rack 2 read it, which split at `;`, too."""
    both = [parse_qs(text, keep_blank_values=True) for text in (query, query.replace(';', '&'))]
    return json.dumps(both, sort_keys=True)


def quote_path(url):
    path, mark, query = url.partition('?')
    return quote(unquote_to_bytes(path), safe='/;') + mark + query


def quote_all(url):
    """Every name and value unquoted and quoted, as signers of query strings do."""
    path, mark, query = url.partition('?')
    parts = [[quote(unquote_to_bytes(part.replace('+', ' ')), safe='') for part in piece.split('=', 1)] for piece in query.split('&')]
    return path + mark + '&'.join('='.join(part) for part in parts)


def url_encode(url):
    path, mark, query = url.partition('?')
    return path + mark + urlencode(parse_qsl(query, keep_blank_values=True))


UNRESERVED = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~')


def requote(url):
    """requests.utils.requote_uri, as requests 2.31 has it."""
    parts = url.split('%')
    for i in range(1, len(parts)):
        digits = parts[i][0:2]
        if len(digits) == 2 and digits.isalnum():
            try:
                character = chr(int(digits, 16))
            except ValueError:
                return quote(url, safe="!#$&'()*+,/:;=?@[]~")
            parts[i] = character + parts[i][2:] if character in UNRESERVED else f'%{parts[i]}'
        else:
            parts[i] = f'%{parts[i]}'
    return quote(''.join(parts), safe="!#$%&'()*+,/:;=?@[]~")


def unquote_quote(url):
    """Of the whole URL, in one go."""
    return quote(unquote(url, errors='surrogateescape'), safe="!#$&'()*+,/:;=?@[]~", errors='surrogateescape')


tasks = {f.__name__: f for f in (reading, quote_path, quote_all, url_encode, requote, unquote_quote)}
for line in sys.stdin:
    task, _, text = line.rstrip('\n').partition('\t')
    print(tasks[task](text))
