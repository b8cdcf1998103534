#!/usr/bin/env python3
"""A client of the Python SecureLink's API, as its users write one: two routes, JSON, a bearer token.

It knows nothing of who answers. SECURELINK_URL and API_KEY say where and with which token; it reads a JSON list of steps from its
standard input, and prints for each what came back:

    [["generate", {"url": "https://cdn.example/secure/a.pdf", "clientip": "127.0.0.1", "expire_seconds": 60}]]
    [{"status": 200, "body": {"secure_url": "…"}}]

"{link}" in a url stands for the last link that was generated, and "change" has what is replaced in the url before it is sent.
"""

import json
import os
import sys
import urllib.error
import urllib.request

try:
    if os.environ.get('WITHOUT_REQUESTS'):
        raise ImportError
    import requests
except ImportError:
    # What this client needs of requests, for machines without it.
    dumps, loads = json.dumps, json.loads

    class Answer:
        def __init__(self, answer):
            self.status_code, self.text = answer.status, answer.read().decode()

        def json(self):
            return loads(self.text)

    class requests:
        @staticmethod
        def post(url, json, headers):
            asked = urllib.request.Request(url, dumps(json).encode(), {'Content-Type': 'application/json', **headers})
            try:
                return Answer(urllib.request.urlopen(asked))
            except urllib.error.HTTPError as error:
                return Answer(error)


BASE = os.environ['SECURELINK_URL']
HEADERS = {'Authorization': f'Bearer {os.environ["API_KEY"]}'}


def generate(body):
    return requests.post(f'{BASE}/generate-secure-md5-link/', json=body, headers=HEADERS)


def validate(body):
    return requests.post(f'{BASE}/validate-secure-link/', json=body, headers=HEADERS)


def main():
    link, answers = '', []
    for name, body in json.load(sys.stdin):
        body = {**body, 'url': body['url'].replace('{link}', link)}
        for old, new in body.pop('change', {}).items():
            body['url'] = body['url'].replace(old, new)
        answer = {'generate': generate, 'validate': validate}[name](body)
        if answer.status_code == 200 and name == 'generate':
            link = answer.json()['secure_url']
        answers.append({'status': answer.status_code, 'body': answer.json()})
    print(json.dumps(answers))


if __name__ == '__main__':
    main()
