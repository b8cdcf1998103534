#!/usr/bin/env python3
"""A second implementation of the links of PichaX, NGINX, its HMAC module and Google Cloud Storage. It was written from the vendors' pages, with
the standard library alone, and without looking at src.

It reads a JSON list of cases and prints the list of their links. Every case has scheme, secret, origin, name (a path, not escaped), path
(the same, escaped in any way), query, now and expires. The functions below show the other members.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
from datetime import datetime, timezone
from urllib.parse import quote


def escape(text):
    return quote(text, safe='-_.~')


def mac(key, text, algorithm='sha256'):
    return hmac.new(key, text.encode(), algorithm).digest()


def base64url(digest):
    return base64.urlsafe_b64encode(digest).decode().rstrip('=')


def append(case, pairs):
    query = case['query']
    return f'{case["origin"]}{case["path"]}{query}{"&" if query else "?"}{pairs}'


def pichax(case):
    """chakata.gitbook.io/pichax/authentication"""
    signature = mac(case['secret'].encode(), f'{case["id"]}:{case["expires"]}').hex()
    return append(case, f'id={escape(case["id"])}&expires={case["expires"]}&key={escape(case["key"])}&signature={signature}')


def uri(case):
    """What NGINX has in $uri: not escaped, and slashes merged."""
    return re.sub('//+', '/', case['name'])


def nginx(case):
    """nginx.org/en/docs/http/ngx_http_secure_link_module.html"""
    text = f'{case["expires"]}{uri(case)}{case["ip"]} {case["secret"]}'
    return append(case, f'md5={base64url(hashlib.md5(text.encode()).digest())}&expires={case["expires"]}')


def nginx_hmac(case):
    """The README of nginx-modules/ngx_http_hmac_secure_link_module"""
    ts = str(case['now'])
    if case['iso']:
        ts = datetime.fromtimestamp(case['now'], timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    e = case['expires'] - case['now']
    token = base64url(mac(case['secret'].encode(), f'{uri(case)}|{ts}|{e}', case['algorithm']))
    return append(case, f'st={token}&ts={ts}&e={e}')


def gcs(case):
    """cloud.google.com/storage/docs/authentication/canonical-requests, and for vendor AWS4 Amazon's page on the same"""
    vendor = case['vendor']
    prefix, service = ('X-Goog-', 'storage') if vendor == 'GOOG4' else ('X-Amz-', 's3')
    date = datetime.fromtimestamp(case['now'], timezone.utc).strftime('%Y%m%dT%H%M%SZ')
    scope = [date[:8], 'auto', service, f'{vendor.lower()}_request']
    host = re.sub(r'^\w+://', '', case['origin'])
    if vendor == 'GOOG4':
        host = re.sub(r':\d+$', '', host)
    headers = {name.lower(): ' '.join(value.split()) for name, value in case['headers'].items()}
    headers['host'] = host
    names = ';'.join(sorted(headers))
    own = {
        'Algorithm': f'{vendor}-HMAC-SHA256',
        'Credential': '/'.join([case['key'], *scope]),
        'Date': date,
        'Expires': str(case['expires'] - case['now']),
        'SignedHeaders': names,
    }
    pairs = [(prefix + name, value) for name, value in own.items()]
    query = sorted((escape(name), escape(value)) for name, value in pairs + [tuple(pair) for pair in case['pairs']])
    request = [
        case['method'],
        quote(case['name'], safe='/-_.~'),
        '&'.join(f'{name}={value}' for name, value in query),
        *(f'{name}:{headers[name]}' for name in sorted(headers)),
        '',
        names,
        'UNSIGNED-PAYLOAD',
    ]
    digest = hashlib.sha256('\n'.join(request).encode()).hexdigest()
    key = (vendor + case['secret']).encode()
    for step in scope:
        key = mac(key, step)
    signature = mac(key, '\n'.join([own['Algorithm'], date, '/'.join(scope), digest])).hex()
    return append(case, '&'.join(f'{name}={escape(value)}' for name, value in [*pairs, (f'{prefix}Signature', signature)]))


SCHEMES = {'pichax': pichax, 'nginx': nginx, 'nginx-hmac': nginx_hmac, 'gcs': gcs}

if __name__ == '__main__':
    print(json.dumps([SCHEMES[case['scheme']](case) for case in json.load(sys.stdin)]))
