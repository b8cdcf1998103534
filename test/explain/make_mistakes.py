# Makes mistakes.json: links that were made wrongly, by Python, PHP and openssl, and the mistake of each. Nothing of SecureLink runs here.
#   python3 test/explain/make_mistakes.py > test/explain/mistakes.json
import base64, hashlib, hmac, json, subprocess, unicodedata
from urllib.parse import quote, unquote

cases = []
EXPIRES = 2145916800
SECRET = 'a made-up secret of 40 characters or so.'


def case(codes, scheme, link, keys=None, options=None, by='python', **request):
    codes = codes if isinstance(codes, list) else [codes]
    cases.append({'codes': codes, 'by': by, 'scheme': scheme, 'keys': keys, 'options': options or {}, 'link': link, 'request': request})


def mac(secret, text, hash=hashlib.sha256):
    secret = secret.encode() if isinstance(secret, str) else secret
    text = text.encode() if isinstance(text, str) else text
    return hmac.new(secret, text, hash).digest()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def php(code, *arguments):
    return subprocess.run(['php', '-r', code, '--', *arguments], capture_output=True, check=True, text=True).stdout


def shell(command, *arguments):
    return subprocess.run(['sh', '-c', command, 'sh', *arguments], capture_output=True, check=True, text=True).stdout.strip()


# --- hmac: docs/spec.md, section 5

def hmac_text(path='/files/report.pdf', query='?v=2', purpose='', origin='', key='', expires=EXPIRES):
    return '\n'.join(['SecureLink hmac v1', purpose, origin, path, query, str(expires), '', '', '', '', '', '', key])


def hmac_link(signature, url='https://cdn.example/files/report.pdf?v=2', key='', expires=EXPIRES):
    return f'{url}&expires={expires}' + (f'&key={key}' if key else '') + f'&signature={signature}'


def hmac_case(codes, secret=SECRET, verifier=None, text=None, link=None, options=None, by='python', signature=None, key_id=None, **request):
    signature = signature or b64url(mac(secret, text or hmac_text()))
    keys = [{'secret': verifier or SECRET, **({'id': key_id} if key_id else {})}]
    case(codes, 'hmac', (link or hmac_link)(signature), keys, options, by, **request)


HEX = '3f' * 16 + 'a0' * 16
B64 = base64.b64encode(bytes(range(40, 80))).decode()
B64URL = base64.urlsafe_b64encode(bytes(range(190, 250))).decode()

hmac_case('secret_line_break', secret=SECRET + '\n')
hmac_case('secret_line_break', secret=SECRET + '\r\n')
hmac_case('secret_not_trimmed', verifier=SECRET + '\n')
hmac_case('secret_white_space', secret=SECRET + ' ')
hmac_case('secret_quotes', secret=f'"{SECRET}"')
hmac_case('secret_quotes', verifier=f"'{SECRET}'")
hmac_case('secret_hex', secret=bytes.fromhex(HEX), verifier=HEX)
hmac_case('secret_base64', secret=base64.b64decode(B64), verifier=B64)
hmac_case('secret_base64', secret=base64.urlsafe_b64decode(B64URL), verifier=B64URL)
hmac_case('secret_encoded', secret=base64.b64encode(SECRET.encode()))
hmac_case('secret_id', secret='key-7', key_id='key-7')
# id:secret, as the command keygen prints it, in place of the secret.
hmac_case('secret_with_id', secret=f'key-7:{SECRET}', key_id='key-7')
hmac_case('secret_with_id', verifier=f'key-7:{SECRET}')
case('secret_with_id', 'hmac', hmac_link(b64url(mac(SECRET, hmac_text(key='key-7'))), key='key-7'),
     [{'secret': f'key-7:{SECRET}'}])
hmac_case('secret_missing', secret='')
hmac_case('secret_missing', secret='undefined')
hmac_case('secret_part', secret=SECRET[:32])
hmac_case('secret_part', secret=SECRET[:-1])
hmac_case('secret_case', secret=SECRET.upper())
hmac_case('secret_comment', secret='a-made-up-secret', verifier='a-made-up-secret#with-a-hash-in-it-and-more')
hmac_case('secret_expanded', secret='a-made-up--with-a-dollar-in-it-and-more', verifier='a-made-up-$secret-with-a-dollar-in-it-and-more')
hmac_case('secret_escaped', secret='a/made+up/secret=of 40 characters or so.', verifier=quote('a/made+up/secret=of 40 characters or so.', safe=''))
case('another_key', 'hmac', hmac_link(b64url(mac(SECRET + '2', hmac_text(key='new'))), key='new'),
     [{'id': 'new', 'secret': SECRET}, {'id': 'old', 'secret': SECRET + '2'}])

PHP_TEXT = hmac_text()
hmac_case('swapped_arguments', by='php', signature=php(
    'echo rtrim(strtr(base64_encode(hash_hmac("sha256", $argv[1], $argv[2], true)), "+/", "-_"), "=");', SECRET, PHP_TEXT))
hmac_case('signature_hex', by='php', signature=php('echo hash_hmac("sha256", $argv[2], $argv[1]);', SECRET, PHP_TEXT))
hmac_case('signature_base64_of_hex', by='php', signature=quote(php('echo base64_encode(hash_hmac("sha256", $argv[2], $argv[1]));', SECRET, PHP_TEXT)))
hmac_case('text_line_ends', by='php', signature=php(
    'echo rtrim(strtr(base64_encode(hash_hmac("sha256", str_replace("\\n", \'\\n\', $argv[2]), $argv[1], true)), "+/", "-_"), "=");', SECRET, PHP_TEXT))
hmac_case('plain_hash', by='php', signature=php(
    'echo rtrim(strtr(base64_encode(hash("sha256", $argv[1] . $argv[2], true)), "+/", "-_"), "=");', SECRET, PHP_TEXT))
hmac_case('plain_hash', signature=b64url(hashlib.sha256((hmac_text() + SECRET).encode()).digest()))
hmac_case('other_hash', signature=b64url(mac(SECRET, hmac_text(), hashlib.sha1)))
hmac_case('other_hash', signature=b64url(mac(SECRET, hmac_text(), hashlib.sha512)))
hmac_case('text_line_break', by='openssl', signature=shell(
    'printf "%s\\n" "$2" | openssl dgst -sha256 -hmac "$1" -binary | openssl base64 -A | tr "+/" "-_" | tr -d =', SECRET, hmac_text(path='/files/report.pdf')))
hmac_case('signature_padding', signature=base64.urlsafe_b64encode(mac(SECRET, hmac_text())).decode())
odd = next(path for path in (f'/files/{n}.pdf' for n in range(99)) if b'+' in base64.b64encode(mac(SECRET, hmac_text(path=path))))
hmac_case('signature_alphabet', signature=quote(base64.b64encode(mac(SECRET, hmac_text(path=odd))).decode().rstrip('='), safe=''),
          link=lambda s: hmac_link(s, f'https://cdn.example{odd}?v=2'))
hmac_case('lower_case', link=lambda s: hmac_link(s).lower())
hmac_case('cut_off', link=lambda s: hmac_link(s)[:-9])
hmac_case('punctuation', link=lambda s: hmac_link(s) + '.')
hmac_case('punctuation', link=lambda s: '<' + hmac_link(s) + '>')
hmac_case('html_escaped', link=lambda s: hmac_link(s).replace('&', '&amp;'))
hmac_case('added_parameters', link=lambda s: hmac_link(s) + '&utm_source=news&fbclid=1')
hmac_case('added_parameters', link=lambda s: hmac_link(s) + '&lang=de')
hmac_case('double_escaped', text=hmac_text(path='/a%20b.pdf'), link=lambda s: hmac_link(s, 'https://cdn.example/a%2520b.pdf?v=2'))
hmac_case('plus_for_space', text=hmac_text(path='/a%20b.pdf'), link=lambda s: hmac_link(s, 'https://cdn.example/a+b.pdf?v=2'))
hmac_case('wrapped', link=lambda s: hmac_link(s).replace('=', '=3D')[:70] + '=\r\n' + hmac_link(s).replace('=', '=3D')[70:])
hmac_case('rewritten', link=lambda s: 'https://eur01.safelinks.example/?url=' + quote(hmac_link(s), safe='') + '&data=05%7C01&sdata=x&reserved=0')
hmac_case('second_question_mark', link=lambda s: hmac_link(s).replace('&expires', '?expires'))
hmac_case('repeated_parameter', link=lambda s: hmac_link(s) + f'&expires={EXPIRES}')
hmac_case('milliseconds', text=hmac_text(expires=EXPIRES * 1000), link=lambda s: hmac_link(s, expires=EXPIRES * 1000))
hmac_case('fragment', link=lambda s: hmac_link(s) + '#page=3')
hmac_case('http_for_https', text=hmac_text(origin='https://cdn.example'), options={'origin': True}, link=lambda s: hmac_link(s, 'http://cdn.example/files/report.pdf?v=2'))
hmac_case('port', text=hmac_text(origin='https://cdn.example'), options={'origin': True}, link=lambda s: hmac_link(s, 'https://cdn.example:8080/files/report.pdf?v=2'))
hmac_case('www', text=hmac_text(origin='https://www.cdn.example'), options={'origin': True})
hmac_case('forwarded_host', text=hmac_text(origin='https://public.example'), options={'origin': True}, headers={'x-forwarded-host': 'public.example'})
hmac_case('origin', text=hmac_text(origin='https://cdn.example'))
hmac_case('purpose', options={'purpose': 'download'})
hmac_case('mounted_path', link=lambda s: hmac_link(s, 'https://cdn.example/report.pdf?v=2'), headers={'x-original-uri': '/files/report.pdf?v=2'})
hmac_case('mounted_path', link=lambda s: hmac_link(s, 'https://cdn.example/gateway/files/report.pdf?v=2'))
hmac_case('trailing_slash', link=lambda s: hmac_link(s, 'https://cdn.example/files/report.pdf/?v=2'))
hmac_case('path_not_encoded', text=hmac_text(path='/Bericht für Jörg.pdf'), link=lambda s: hmac_link(s, 'https://cdn.example/Bericht%20f%C3%BCr%20J%C3%B6rg.pdf?v=2'))
hmac_case('whole_url', text=hmac_text(path='https://cdn.example/files/report.pdf'))
hmac_case('query_left_out', text=hmac_text(query=''))
hmac_case('path_without_slash', text=hmac_text(path='files/report.pdf'))
hmac_case(['html_escaped', 'secret_line_break'], secret=SECRET + '\n', link=lambda s: hmac_link(s).replace('&', '&amp;'))
hmac_case(['added_parameters', 'secret_quotes'], secret=f'"{SECRET}"', link=lambda s: hmac_link(s) + '&utm_source=news')
hmac_case(['added_parameters', 'mounted_path'], link=lambda s: hmac_link(s, 'https://cdn.example/gateway/files/report.pdf?v=2') + '&gclid=1')
hmac_case(['query_left_out', 'secret_base64'], secret=base64.b64decode(B64), verifier=B64, text=hmac_text(query=''))
hmac_case(['secret_line_break', 'signature_hex'], signature=mac(SECRET + '\n', hmac_text()).hex())

# --- pichax

PICHAX = [{'id': 'px_test_key', 'secret': SECRET}]


def pichax_link(signature, id='user-42', expires=EXPIRES):
    return f'https://api.pichax.example/v1/transform?src=x&id={quote(id, safe="")}&expires={expires}&key=px_test_key&signature={signature}'


case('signature_case', 'pichax', pichax_link(mac(SECRET, f'user-42:{EXPIRES}').hex().upper()), PICHAX)
case('signature_base64', 'pichax', pichax_link(quote(base64.b64encode(mac(SECRET, f'user-42:{EXPIRES}')).decode(), safe='')), PICHAX)
case('text_line_break', 'pichax', pichax_link(shell('echo "user-42:$2" | openssl dgst -sha256 -hmac "$1" -r | cut -d" " -f1', SECRET, str(EXPIRES))), PICHAX, by='openssl')
case('text_encoded', 'pichax', pichax_link(mac(SECRET, f'user%2042:{EXPIRES}').hex(), 'user 42'), PICHAX)
case('field_order', 'pichax', pichax_link(mac(SECRET, f'{EXPIRES}:user-42').hex()), PICHAX)
case('milliseconds_signed', 'pichax', pichax_link(mac(SECRET, f'user-42:{EXPIRES}000').hex()), PICHAX)
case(['text_line_break', 'secret_line_break'], 'pichax', pichax_link(mac(SECRET + '\n', f'user-42:{EXPIRES}\n').hex()), PICHAX)

# --- nginx: the expressions of configurations, filled in by hand

NGINX = [{'secret': 'enigma'}]


def md5(text):
    return b64url(hashlib.md5(text.encode()).digest())


def nginx_case(codes, text, path='/s/a%20b.txt', expression='$secure_link_expires$uri $secret', token=None, query='', **request):
    case(codes, 'nginx', f'https://cdn.example{path}?{query}md5={token or md5(text)}&expires={EXPIRES}', NGINX, {'expression': expression}, **request)


WITH_ADDRESS = '$secure_link_expires$uri$remote_addr $secret'
nginx_case('field_order', f'enigma/s/a b.txt{EXPIRES}')
nginx_case('field_order', f'/s/a b.txt{EXPIRES} enigma')
nginx_case('field_order', f'{EXPIRES}/s/a b.txtenigma')
nginx_case('field_order', f'{EXPIRES}#/s/a b.txt#enigma')
nginx_case('path_encoded', f'{EXPIRES}/s/a%20b.txt enigma')
nginx_case('path_without_slash', f'{EXPIRES}s/a b.txt enigma')
nginx_case('whole_url', f'{EXPIRES}https://cdn.example/s/a b.txt enigma')
nginx_case('query_in_path', f'{EXPIRES}/s/a b.txt?q=1 enigma', query='q=1&')
nginx_case('no_secret', f'{EXPIRES}/s/a b.txt')
nginx_case('no_expiry', '/s/a b.txt enigma')
nginx_case('milliseconds_signed', f'{EXPIRES}000/s/a b.txt enigma')
nginx_case('secret_line_break', f'{EXPIRES}/s/a b.txt enigma\n')
nginx_case('address_left_out', f'{EXPIRES}/s/a b.txt enigma', expression=WITH_ADDRESS, ip='203.0.113.7')
nginx_case('address_form', f'{EXPIRES}/s/a b.txt::ffff:203.0.113.7 enigma', expression=WITH_ADDRESS, ip='203.0.113.7')
nginx_case('proxy_address', f'{EXPIRES}/s/a b.txt203.0.113.7 enigma', expression=WITH_ADDRESS, ip='10.0.0.1', headers={'x-forwarded-for': '203.0.113.7'})
nginx_case('path_normal_form', f'{EXPIRES}/s/' + unicodedata.normalize('NFD', 'für.txt') + ' enigma', path='/s/f%C3%BCr.txt')
nginx_case('signature_hex', '', token=hashlib.md5(f'{EXPIRES}/s/a b.txt enigma'.encode()).hexdigest())
nginx_case('signature_alphabet', '', path='/s/7.txt', token=next(
    t for t in [base64.b64encode(hashlib.md5(f'{EXPIRES}/s/7.txt enigma'.encode()).digest()).decode().rstrip('=')]))
nginx_case(['field_order', 'secret_line_break'], f'/s/a b.txt{EXPIRES} enigma\n')
nginx_case(['mounted_path', 'secret_quotes'], f'{EXPIRES}/s/a b.txt "enigma"', path='/v2/s/a%20b.txt')

# --- nginx-hmac

HMAC_LINK = [{'secret': 'my_very_secret_key'}]


def nginx_hmac(codes, text, hash=hashlib.sha256, **request):
    token = b64url(mac('my_very_secret_key', text, hash))
    case(codes, 'nginx-hmac', f'https://cdn.example/files/a%20b.txt?st={token}&ts=1767225600&e=99999999', HMAC_LINK, {}, **request)


nginx_hmac('field_order', '/files/a b.txt176722560099999999')
nginx_hmac('field_order', '1767225600|/files/a b.txt|99999999')
nginx_hmac('other_hash', '/files/a b.txt|1767225600|99999999', hashlib.sha1)
nginx_hmac('path_encoded', '/files/a%20b.txt|1767225600|99999999')

# --- s3: Signature Version 4 by hand

KEY_ID = 'AKIAMADEUPEXAMPLE000'
S3_SECRET = 'made/Up+Secret0123456789abcdefABCDEFghij'
S3 = [{'id': KEY_ID, 'secret': S3_SECRET}]
DATE = '20300101T000000Z'


def s3_link(host='bucket.s3.eu-central-1.amazonaws.com', path='/a%20b.png', region='eu-central-1', service='s3', method='GET', payload='UNSIGNED-PAYLOAD',
            secret=S3_SECRET, headers=None, token=None, sort=True, canonical_path=None, prefix='AWS4', extra=None, derive=True, sign_host=None, sign_path=None, end='\n'):
    signed = {'host': sign_host or host, **(headers or {})}
    scope = f'{DATE[:8]}/{region}/{service}/aws4_request'
    query = [('X-Amz-Algorithm', 'AWS4-HMAC-SHA256'), ('X-Amz-Credential', f'{KEY_ID}/{scope}'), ('X-Amz-Date', DATE), ('X-Amz-Expires', '900'),
             ('X-Amz-SignedHeaders', ';'.join(sorted(signed)))] + ([('X-Amz-Security-Token', token)] if token else []) + (extra or [])
    pairs = [f'{quote(n, safe="-_.~")}={quote(v, safe="-_.~")}' for n, v in query]
    lines = ''.join(f'{n}:{signed[n]}\n' for n in sorted(signed)).rstrip('\n') + end
    request = '\n'.join([method, canonical_path or sign_path or path, '&'.join(sorted(pairs) if sort else pairs), lines, ';'.join(sorted(signed)), payload])
    text = '\n'.join(['AWS4-HMAC-SHA256', DATE, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = (prefix + secret).encode() if derive else secret.encode()
    for word in (scope.split('/') if derive else []):
        key = mac(key, word)
    return f'https://{host}{path}?{"&".join(pairs)}&X-Amz-Signature={mac(key, text).hex()}'


def s3_case(codes, link, keys=S3, options=None, **request):
    case(codes, 's3', link, keys, options, **request)


s3_case('region', s3_link(region='us-east-1'))
s3_case('service', s3_link(service='execute-api'))
s3_case('method', s3_link(method='HEAD'))
s3_case('method', s3_link(), method='HEAD')
s3_case('method', s3_link(method='PUT'))
s3_case('payload_hash', s3_link(payload=hashlib.sha256(b'').hexdigest()))
s3_case('path_encoded_twice', s3_link(canonical_path='/a%2520b.png'))
s3_case('path_not_encoded', s3_link(canonical_path='/a b.png'))
s3_case('query_not_sorted', s3_link(extra=[('response-content-type', 'image/png'), ('partNumber', '1')], sort=False))
s3_case('key_not_derived', s3_link(derive=False))
s3_case('key_not_derived', s3_link(prefix=''))
s3_case('headers_block', s3_link(end=''))
s3_case('path_style', s3_link(sign_host='s3.eu-central-1.amazonaws.com', sign_path='/bucket/a%20b.png'))
s3_case('endpoint', s3_link(sign_host='bucket.s3.amazonaws.com'))
s3_case('internal_host', s3_link(host='files.example', sign_host='minio:9000', region='us-east-1'))
s3_case('port', s3_link(host='localhost', sign_host='localhost:9000', region='us-east-1'))
s3_case('header_not_sent', s3_link(headers={'content-type': 'image/png'}, method='PUT'), method='PUT')
s3_case('header_not_sent', s3_link(headers={'content-type': 'image/png'}, method='PUT'), method='PUT', headers={'content-type': 'image/jpeg'})
s3_case('header_not_signed', s3_link(method='PUT'), method='PUT', headers={'x-amz-acl': 'public-read'})
s3_case('session_token', s3_link() .replace('&X-Amz-Signature', '&X-Amz-Security-Token=made-up-token&X-Amz-Signature'))
s3_case('secret_line_break', s3_link(secret=S3_SECRET + '\n'))
s3_case('secret_id', s3_link(secret=KEY_ID))
s3_case('signature_case', s3_link()[:-64] + s3_link()[-64:].upper())
s3_case('html_escaped', s3_link().replace('&', '&amp;'))
s3_case(['method', 'region'], s3_link(method='PUT', region='us-west-2'))
s3_case(['region', 'secret_line_break'], s3_link(region='us-west-2', secret=S3_SECRET + '\n'))
s3_case(['method', 'port'], s3_link(host='localhost', sign_host='localhost:9000', region='us-east-1', method='PUT'))

# --- azure: a service SAS for a blob, version 2022-11-02

ACCOUNT_KEY = base64.b64encode(bytes(range(100, 164))).decode()
AZURE = [{'id': 'myaccount', 'secret': ACCOUNT_KEY}]


def azure_link(key=None, resource='/blob/myaccount/reports/q 4.pdf', sr='b', sv='2022-11-02', text_sv=None, text_sr=None, sp='r', text_sp=None, se='2038-01-01T00:00:00Z',
               text_se=None, drop='', add='', layout=None):
    layout = layout or sv
    lines = [text_sp or sp, '', text_se or se, resource, '', '', 'https', text_sv or sv]
    if layout >= '2018-11-09':
        lines += [text_sr or sr, '']
    if layout >= '2020-12-06':
        lines += ['']
    text = '\n'.join(lines + ['', '', '', '', '']) + add
    text = text.removesuffix(drop)
    key = base64.b64decode(ACCOUNT_KEY) if key is None else key
    sig = quote(base64.b64encode(mac(key, text)).decode(), safe='')
    return f'https://myaccount.blob.core.windows.net/reports/q%204.pdf?sv={sv}&sr={sr}&se={quote(se, safe="")}&sp={sp}&spr=https&sig={sig}'


def azure_case(codes, link, **request):
    case(codes, 'azure', link, AZURE, {}, **request)


azure_case('secret_base64_not_decoded', azure_link(key=ACCOUNT_KEY))
azure_case('azure_resource', azure_link(resource='/myaccount/reports/q 4.pdf'))
azure_case('azure_resource', azure_link(resource='/blob/myaccount/reports/q 4.pdf/'))
azure_case('path_encoded', azure_link(resource='/blob/myaccount/reports/q%204.pdf'))
azure_case('azure_account', azure_link(resource='/blob/devstoreaccount1/reports/q 4.pdf'))
azure_case('azure_version', azure_link(layout='2018-03-28'))
azure_case('azure_version', azure_link(text_sv='2020-02-10', layout='2020-02-10'))
azure_case('azure_kind', azure_link(resource='/blob/myaccount/reports', text_sr='c'))
azure_case('azure_escaped', azure_link(text_se='2038-01-01T00%3A00%3A00Z'))
azure_case('azure_time', azure_link(text_se='2038-01-01T00:00:00.000Z'))
azure_case('azure_lines', azure_link(drop='\n\n\n\n\n'))
azure_case('text_line_break', azure_link(add='\n'))
azure_case(['azure_resource', 'secret_base64_not_decoded'], azure_link(key=ACCOUNT_KEY, resource='/myaccount/reports/q 4.pdf'))

print(json.dumps(cases, indent=1, ensure_ascii=False))
