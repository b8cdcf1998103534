#!/usr/bin/env python3
"""Forms of botocore, the library of Amazon's SDK for Python. Reads a JSON list of cases and prints a list of { url, fields }."""

import json
import sys

import botocore.session
from botocore.credentials import Credentials
from botocore.model import ServiceId
from botocore.signers import RequestSigner, S3PostPresigner

emitter = botocore.session.Session().get_component('event_emitter')
posts = []
for case in json.load(sys.stdin):
    credentials = Credentials(case['id'], case['secret'], case.get('sessionToken'))
    # A client would do the same, and takes half a second to make.
    signer = RequestSigner(ServiceId('S3'), case['region'], 's3', 's3v4', credentials, emitter)
    request = {'url': case['url'], 'url_path': '/', 'query_string': {}, 'method': 'POST', 'headers': {}, 'body': b'', 'context': {}}
    posts.append(
        S3PostPresigner(signer).generate_presigned_post(
            request_dict=request,
            fields=dict(case['fields'], key=case['key']),
            conditions=case['conditions'],
            expires_in=case['expiresIn'],
            region_name=case['region'],
        )
    )
print(json.dumps(posts))
