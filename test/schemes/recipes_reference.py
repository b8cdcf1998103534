#!/usr/bin/env python3
"""A second implementation of links whose vendors have no package that signs. It was written from the vendors' pages, with the standard library
alone, and without looking at src.

It reads a JSON list of cases and prints the list of their links. Every case has scheme, secret, origin, path and query (both as clients send them,
the query with its "?"), and expires. The functions below show the other members.
"""

import base64
import hashlib
import hmac
import json
import sys
from urllib.parse import unquote


def append(case, pairs):
    query = case['query']
    return f'{case["origin"]}{case["path"]}{query}{"&" if query else "?"}{pairs}'


def fastly(case):
    """github.com/fastly/token-functions"""
    string_to_sign = '{0}{1}'.format(case['path'], case['expires'])
    signature = hmac.new(base64.b64decode(case['secret']), string_to_sign.encode(), hashlib.sha1).hexdigest()
    return append(case, f'token={case["expires"]}_{signature}')


def md5(text):
    return base64.urlsafe_b64encode(hashlib.md5(text.encode()).digest()).decode().rstrip('=')


def keycdn(case):
    """www.keycdn.com/support/secure-token, Access Control"""
    token = md5('%s%s%s' % (case['path'], case['secret'], case['expires']))
    return append(case, f'token={token}&expire={case["expires"]}')


def keycdn_images(case):
    """www.keycdn.com/support/secure-token, Image Processing"""
    return append(case, 'token=' + md5(case['path'] + case['query'].lstrip('?') + case['secret']))


def bytescale(case):
    """www.bytescale.com/docs/secure-urls/signed-urls"""
    url = append(case, f'exp={case["expires"]}')
    digest = hmac.new(base64.b64decode(case['secret']), url.split('://', 1)[1].encode(), hashlib.sha256).digest()
    return f'{url}&sig=1.{case["id"]}.{base64.urlsafe_b64encode(digest).decode().rstrip("=")}'


def upyun(case):
    """github.com/upyun/token-examples; the path is signed decoded, as Upyun's articles say"""
    etime = str(case['expires'])
    sign = hashlib.md5((case['secret'] + '&' + etime + '&' + unquote(case['path'])).encode()).hexdigest()[12:20] + etime
    return append(case, f'_upt={sign}')


SCHEMES = {'fastly': fastly, 'keycdn': keycdn, 'keycdn-images': keycdn_images, 'bytescale': bytescale, 'upyun': upyun}

if __name__ == '__main__':
    print(json.dumps([SCHEMES[case['scheme']](case) for case in json.load(sys.stdin)]))
