// The text of --help, for the command and for each verb.

const KEYS = `  --keys FILE        a file of keys, in place of SECURELINK_KEYS: JSON, or id:secret with spaces, commas
                     or line breaks between them, newest first. A secret with a colon, a comma or a space
                     is written in JSON: [{"id":"2026-11","secret":"…"}]. Keys never come from arguments.
`
const SCHEME = `  --scheme NAME      hmac (the default), pichax, …: a scheme of the package
  --options JSON     its options, such as '{"purpose":"unsubscribe"}'
`
const LINES = `  --file FILE        reads lines from a file; without arguments they come from standard input
  --json             writes one JSON object per line
`
const NOW = `  --now DATE         the present time, such as 2030-01-01T00:00:00Z; default: the clock
`
const STORE = `  --store ADDRESS    redis://user:password@host:port/database, or rediss:// for TLS; needs npm install redis,
                     or ioredis. memory: is for this process only. SECURELINK_STORE is the same, and
                     process lists do not show it.
`
const REQUEST = `  --ip ADDRESS       the address that the request comes from
  --method METHOD    the method of the request; default GET
  --header 'N: V'    a header of the request, for links that cover headers; may be repeated
`
const EXIT = `
Exit code: 0 valid, 1 refused, 2 misuse.
`

export const HELP: Readonly<Record<string, string>> = {
  '': `securelink: signed links that expire

  securelink keygen     makes a key
  securelink sign       signs URLs
  securelink verify     verifies links
  securelink redeem     verifies links, and consumes one use of each
  securelink inspect    shows what links say; needs no key
  securelink explain    explains why links are refused, and finds the mistake behind a wrong signature
  securelink serve      signs, verifies and redeems over HTTP, for programs in other languages
  securelink demo       serves files behind signed links on this machine

  securelink VERB --help has the options of each, and examples; securelink --version shows the version.
`,
  keygen: `securelink keygen: makes a key

  securelink keygen
  export SECURELINK_KEYS=$(securelink keygen)
  securelink keygen --id web-1 > keys.txt
  securelink keygen --id web-2 | cat - keys.txt > new.txt    the newest key is the first, and signs

  --id TEXT          default: this month
  --json             [{"id":…,"secret":…}], as SECURELINK_KEYS, --keys and securelink-keys.json of NGINX take it
`,
  sign: `securelink sign URL…: signs URLs

  securelink sign https://cdn.example/report.pdf --expires 10m
  securelink sign https://cdn.example/v/7/index.m3u8 --expires 6h --prefix /v/7/ --ip 203.0.113.0/24
  securelink sign --expires 7d --uses 1 < urls.txt > links.txt
  securelink sign --scheme pichax --expires 1h --id user-42 'https://api.pichax.dev/v1/generate/transform?src=…'

  --expires WHEN     a duration (90s, 10m, 12h, 7d), a date (2030-01-01T00:00:00Z), or never, for schemes with
                     links that never expire; required
  --align DURATION   rounds the expiry up, so that links signed within one such interval are identical
  --starts WHEN      the link is not valid before this time
  --method METHOD    a method that the link opens; may be repeated; default GET and HEAD
  --ip ADDRESS       the address or network that the link opens for, such as 203.0.113.0/24
  --prefix PATH      the link opens this path and everything below
  --uses N           how often the link can be redeemed
  --id TEXT          names the link
  --condition N=V    a scheme-specific condition; V is JSON or text
${SCHEME}${KEYS}${LINES}${NOW}
Exit code: 0 all signed, 2 misuse. For a line that cannot be signed, it prints an empty line, and the line's number and the error on standard error.
`,
  verify: `securelink verify LINK…: verifies links

  securelink verify 'https://cdn.example/report.pdf?expires=1900000000&signature=…'
  securelink verify --ip 203.0.113.7 --method PUT "$LINK"
  securelink verify --json < links.txt

${REQUEST}  --tolerance TIME   how far clocks may differ, at most 5m
  --explain          says why links are refused, as securelink explain does
${SCHEME}${KEYS}${LINES}${NOW}${EXIT}`,
  redeem: `securelink redeem LINK…: verifies links, and consumes one use of each that has a limited number

  securelink redeem --store redis://127.0.0.1:6379 "$LINK"

${STORE}${REQUEST}  --tolerance TIME   how far clocks may differ, at most 5m
${SCHEME}${KEYS}${LINES}${NOW}${EXIT}`,
  inspect: `securelink inspect LINK…: shows what links say; needs no key, and does not verify

  securelink inspect 'https://cdn.example/report.pdf?expires=1900000000&signature=…'
  securelink inspect --json < links.txt
  securelink inspect --string-to-sign --method PUT "$LINK"

Links of every scheme, and of many other vendors, are recognised.

  --string-to-sign   prints the string that should have been signed, with <secret> in place of
                     the secret. The string of some schemes depends on the request, or on the key:
${REQUEST}${KEYS}  --scheme NAME      reads links as those of one scheme: hmac, pichax, …
  --options JSON     the options of that scheme, such as '{"parameters":{"expires":"until"}}'; of hmac, without
                     --scheme
${LINES}${NOW}
Exit code: 0 read, 1 not a link, 2 misuse.
`,
  explain: `securelink explain LINK…: explains why links are refused, and finds the mistake behind a wrong signature

  securelink explain 'https://cdn.example/report.pdf?expires=1900000000&signature=…'
  securelink explain --scheme s3 --method PUT --header 'content-type: image/png' "$LINK"
  securelink explain --scheme nginx --options '{"expression":"$secure_link_expires$uri $secret"}' "$LINK"

It shows the verifier's string to sign, and beside it the one that was signed, if the mistake is found. It also shows the signature
that the verifier expects. That signature is valid, so do not write it to a log that others read.

${REQUEST}  --tolerance TIME   how far clocks may differ, at most 5m
  --bound N          the largest number of signatures to compute; default 5000
${SCHEME}${KEYS}${LINES}${NOW}${EXIT}`,
  serve: `securelink serve: signs, verifies and redeems over HTTP, for programs in other languages

  export SECURELINK_KEYS=$(securelink keygen)
  export SECURELINK_API_TOKEN=$(node -p "crypto.randomBytes(32).toString('base64url')")
  securelink serve
  securelink serve --max-ttl 7d --allow https://cdn.example/files/ --store redis://127.0.0.1:6379
  securelink serve --scheme files=hmac --scheme pichax --keys keys.json
  curl -H "Authorization: Bearer $SECURELINK_API_TOKEN" -H 'Content-Type: application/json' \\
    -d '{"url":"https://cdn.example/report.pdf","expires":"10m"}' http://127.0.0.1:8788/sign

  SECURELINK_API_TOKEN   the token of the callers, at least 32 characters; separate several with spaces. Required

  --host ADDRESS     default 127.0.0.1: this machine only
  --port N           default 8788; 0 picks a free port. The first line of the log names it
  --max-ttl TIME     the longest lifetime of a link that may be signed, such as 7d
  --allow URL        a host and a path; only URLs below may be signed; may be repeated
${STORE}                     Without a store, links cannot be redeemed.
  --limit BYTES      the largest body of a request, default 1000000
  --timeout TIME     how long a request may take to arrive, default 30s
  --scheme NAME      hmac (the default), pichax, …: a scheme of the package. Repeat it for a service with several,
                     perhaps under names of your own (files=hmac): keys and options are then JSON objects
                     with a member for each
  --options JSON     its options, such as '{"purpose":"unsubscribe"}'
  --securelink-api   adds the two routes of the Python SecureLink, for its clients: with --scheme nginx they
                     make the same links
${KEYS}
Standard output is the log, one JSON object per line. It has no links, no tokens and no secrets. After SIGTERM or Ctrl-C, requests
in progress have ten seconds to finish.

Exit code: 0 ended by a signal, 1 it could not start, or cut off requests when it ended, 2 misuse.
`,
  demo: `securelink demo: serves files behind signed links on 127.0.0.1:8787, and writes links to try

  securelink demo
  PORT=8080 securelink demo

PORT sets another port; PORT=0 picks a free one. Ctrl-C ends the demo.
`,
}
