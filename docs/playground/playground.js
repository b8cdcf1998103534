// The playground: shows the parts of links, signs and verifies, all in the page. Pasted text only becomes text nodes, so it cannot become markup.
;(() => {
  const lib = globalThis.SecureLink
  const VERSION = '0.1.0'
  const $ = (id) => document.getElementById(id)

  /** An element with attributes and children; text stays text. */
  function el(name, attributes = {}, ...children) {
    const element = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) element.setAttribute(key, value)
    element.append(...children)
    return element
  }

  /** Characters that are invisible, or change the direction of text, are shown as their code points. */
  const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`)

  /** Puts text into an element that screen readers announce, once. */
  const say = (element, text) => element.textContent === text || (element.textContent = text)

  // ---------------------------------------------------------------- Words

  // The parameters by their role: colour, meaning, and the names that schemes have for it in `covers`.
  const ROLES = {
    signature: ['signature', 'The signature over what is covered', []],
    expires: ['time', 'Valid until', ['expires']],
    starts: ['time', 'The link is not valid before this time', ['starts']],
    signed: ['time', 'When it was signed', ['starts', '?ts']],
    lifetime: ['time', 'How many seconds it is valid from then on', ['expires', '?e']],
    method: ['condition', 'Opens for these methods only', ['method']],
    net: [
      'condition',
      'Opens for one network only: the number of leading bits of the client’s address that count. The address is not in the link',
      ['ip'],
    ],
    ip: ['condition', 'Opens for this address only', ['ip']],
    prefix: ['condition', 'Opens this path and everything below', ['prefix']],
    uses: ['condition', 'How often it can be redeemed', ['uses']],
    id: ['condition', 'Names the link, or what it is for', ['id']],
    key: ['key', 'The key that signed the link', ['key']],
    permissions: ['condition', 'What it permits', ['method']],
    protocol: ['condition', 'Protocols that it opens for', []],
    policy: ['condition', 'The conditions as a document, in base64', []],
    answer: ['condition', 'A header of the response', []],
    version: ['condition', 'Version of the format', []],
    algorithm: ['condition', 'How it was signed', []],
    resource: ['condition', 'The kind of resource that it opens', []],
    headers: ['condition', 'Headers that the request must have', ['headers']],
    other: ['condition', 'A parameter of the scheme', []],
  }

  // Names with one meaning for all vendors, and names with several.
  const NAMES = {
    ...{ signature: 'signature', sig: 'signature', token: 'signature', md5: 'signature', hmac: 'signature', s: 'signature' },
    ...{ verify: 'signature', 'ik-s': 'signature', _hash: 'signature', 'x-amz-signature': 'signature', 'x-goog-signature': 'signature' },
    ...{ expires: 'expires', exp: 'expires', expire: 'expires', 'ik-t': 'expires', _expiration: 'expires', starts: 'starts' },
    ...{ 'x-amz-date': 'signed', 'x-goog-date': 'signed', 'x-amz-expires': 'lifetime', 'x-goog-expires': 'lifetime' },
    ...{ 'x-amz-algorithm': 'algorithm', 'x-goog-algorithm': 'algorithm', 'x-amz-credential': 'key', 'x-goog-credential': 'key' },
    ...{ 'x-amz-signedheaders': 'headers', 'x-goog-signedheaders': 'headers', awsaccesskeyid: 'key', googleaccessid: 'key' },
    ...{ 'key-pair-id': 'key', keyname: 'key', ossaccesskeyid: 'key', key: 'key', policy: 'policy', urlprefix: 'prefix' },
    ...{ method: 'method', net: 'net', prefix: 'prefix', uses: 'uses', id: 'id', ip: 'ip', acl: 'prefix', token_path: 'prefix' },
    ...{ sv: 'version', sr: 'resource', si: 'policy', rscc: 'answer', rscd: 'answer', rsce: 'answer', rscl: 'answer', rsct: 'answer' },
  }
  const OWN_NAMES = {
    azure: { se: 'expires', st: 'starts', sp: 'permissions', sip: 'ip', spr: 'protocol' },
    'nginx-hmac': { st: 'signature', ts: 'signed', e: 'lifetime' },
    akamai: { st: 'starts' },
  }

  // The vendors that sign all their own parameters, even those that are not conditions, such as a version.
  const SIGN_ALL_THEIRS = /^(azure|s3|gcs|gcs-rsa|cloudfront|cloud-cdn|media-cdn|akamai|hmac|any of them)$/
  // Parameters that are not signed, although everything else of the vendor is.
  const NOT_SIGNED = ['Key-Pair-Id', 'Hash-Algorithm', 'KeyName']

  const REASONS = {
    unsigned: 'The link has none of the parameters of this scheme.',
    malformed: 'It has parameters of this scheme, but they cannot be read.',
    unknown_key: 'It names a key other than the one above.',
    bad_signature: 'The signature does not match: something in the link was changed, or it was signed with another key or other options.',
    expired: 'It has expired.',
    key_expired: 'It has not expired, but its key has.',
    too_early: 'It is not valid yet.',
    wrong_method: 'It is valid, but not for this method.',
    wrong_ip: 'It is valid, but not for this address.',
    wrong_path: 'It is valid, but not for this path.',
    revoked: 'It was revoked.',
    used: 'All its uses are consumed.',
    needs_redeem: 'It is valid, but has a limited number of uses: redeem it to open it.',
  }

  const CLAIMS = {
    resource: 'Opens',
    expires: 'Until',
    endless: 'Never expires',
    starts: 'From',
    methods: 'Methods',
    signedHeaders: 'Headers',
    ip: 'Address',
    prefix: 'Prefix',
    uses: 'Uses',
    id: 'Id',
    keyId: 'Key id',
  }

  // ---------------------------------------------------------------- Fields

  // One line per condition: label, placeholder, and how its text becomes a value.
  const list = (text) => text.split(/[\s,]+/).filter(Boolean)
  // Other text is passed to the SDK unchanged, and its message says what is wrong. `new Date('600')` would be the year 600.
  const when = (text) => (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(+new Date(text)) ? new Date(text) : text)
  const CONDITIONS = {
    expires: ['Expires', '10m, or 2030-01-01T12:00Z', when],
    starts: ['Starts', '30s, or a date', when],
    method: ['Method', 'GET, PUT', list],
    ip: ['Address or network', '203.0.113.0/24'],
    prefix: ['Prefix', '/videos/7/'],
    uses: ['Uses', '1', Number],
    id: ['Id', 'user-42'],
    align: ['Align expiry to', '1h'],
    directoryDepth: ['directoryDepth', '', Number],
  }

  // Options by the name of the scheme's factory. Other schemes have their default options.
  const pairs = (text) => Object.fromEntries(list(text).map((pair) => pair.split('=')))
  const OPTIONS = {
    hmac: {
      purpose: { note: 'A link for one purpose is refused for another. The link does not show its purpose.', placeholder: 'unsubscribe' },
      ignore: { note: 'Query parameters that others may add in transit.', placeholder: 'utm_*, fbclid', read: list },
      parameters: { note: 'Other names for the link’s parameters.', placeholder: 'id=link_id, key=k', read: pairs },
      placement: { note: 'The place of the token.', choices: ['query', 'path'] },
      origin: { label: 'Cover scheme, host and port (origin)', check: true },
    },
    nginxHmac: {
      message: { note: 'The text of secure_link_hmac_message.', placeholder: '$uri|$arg_ts|$arg_e' },
      algorithm: { choices: ['sha256', 'sha1', 'sha384', 'sha512'] },
      timestamp: { note: 'unix, Z, or a time zone such as +02:00.', placeholder: 'unix' },
    },
    cloudflare: { maxAge: { note: 'How long links are valid: the time of the WAF rule.', placeholder: '1h' } },
    azure: {
      version: { note: 'The sv of new links.', placeholder: '2026-04-06' },
      pathStyle: { label: 'The path begins with the account (pathStyle)', check: true },
    },
  }

  function field(prefix, name, { label = name, note, placeholder, choices, check, value }) {
    const id = `${prefix}-${name}`
    const noteId = note && `${id}-note`
    const control = choices
      ? el('select', { id, 'data-name': name, 'aria-describedby': noteId }, ...choices.map((choice) => el('option', {}, choice)))
      : el('input', {
          id,
          'data-name': name,
          placeholder,
          type: check ? 'checkbox' : 'text',
          spellcheck: 'false',
          autocomplete: 'off',
          autocapitalize: 'off',
          'aria-describedby': noteId,
        })
    if (value !== undefined) control.value = value
    const words = el('label', { for: id }, ...(check ? [control, label] : [label]))
    return el(
      'p',
      { class: check ? 'field check' : 'field' },
      words,
      ...(check ? [] : [control]),
      ...(note ? [el('small', { id: noteId }, note)] : []),
    )
  }

  const controls = (box) => [...box.querySelectorAll('[data-name]')]

  // ---------------------------------------------------------------- Schemes

  // Names in the bundle that are not factories of schemes. Any other function that returns a scheme for an empty keyring is a factory, so new schemes
  // need no entry.
  const NO_SCHEMES =
    /^(sign|signAll|signIn|signPlaylist|signManifest|verify|redeem|inspect|explain|anyOf|allOf|statusOf|linkMemory|recognise|expiresIn|cacheKey|fetchLink|freshLinks?|keepFresh|serverClock|setCookie|guard|service|[A-Z].*|.*Store)$/
  const factories = {}

  function findSchemes() {
    for (const [name, make] of Object.entries(lib)) {
      if (typeof make !== 'function' || NO_SCHEMES.test(name)) continue
      // Links of some vendors show the time of signing, so their factories need to know how long links are valid.
      for (const defaults of [{}, { maxAge: '1h' }]) {
        try {
          const { write, read } = make([], defaults)
          if (write && read) factories[name] ??= (keys, chosen) => make(keys, { ...defaults, ...chosen })
        } catch {
          // The factory requires further options, which this page has no fields for.
        }
      }
    }
    // Our own first, the others by name.
    const names = Object.keys(factories).sort((a, b) => (b === 'hmac') - (a === 'hmac') || a.localeCompare(b))
    $('scheme').replaceChildren(...names.map((name) => el('option', { value: name }, factories[name]([]).name)))
  }

  function options() {
    const known = OPTIONS[$('scheme').value] ?? {}
    const chosen = {}
    for (const control of controls($('options'))) {
      const { name } = control.dataset
      const text = control.value.trim()
      if (control.type === 'checkbox') {
        if (control.checked) chosen[name] = true
      } else if (text && text !== known[name].choices?.[0]) chosen[name] = known[name].read?.(text) ?? text
    }
    return chosen
  }

  const key = () => ({ ...($('key-id').value && { id: $('key-id').value }), secret: $('secret').value })
  const scheme = (keys) => factories[$('scheme').value](keys, options())

  /** The form of another scheme. Text in fields that both schemes have stays. */
  function showScheme() {
    const name = $('scheme').value
    const known = Object.entries(OPTIONS[name] ?? {})
    $('options').replaceChildren(...known.map(([option, how]) => field('option', option, how)))
    $('options-box').hidden = known.length === 0
    showConditions()
  }

  function showConditions() {
    const kept = new Map(controls($('conditions')).map(({ dataset, value }) => [dataset.name, value]))
    const { carries, own = [] } = factories[$('scheme').value]([], tolerant(options))
    const fields = ['expires', ...carries, ...own].map((condition) => {
      const [label = condition, placeholder] = CONDITIONS[condition] ?? []
      return field('condition', condition, { label, placeholder, value: kept.get(condition) ?? (condition === 'expires' ? '10m' : '') })
    })
    $('conditions').replaceChildren(...fields)
  }

  /** Options that the scheme does not take count as none while somebody is typing them. */
  function tolerant(read) {
    try {
      const chosen = read()
      factories[$('scheme').value]([], chosen)
      return chosen
    } catch {
      return {}
    }
  }

  // ---------------------------------------------------------------- Reading a link

  /** All readings of a link: by the scheme chosen, by the others here, and by `recognise` where the bundle has it. */
  function readingsOf(link) {
    const found = []
    const attempt = (name, chosen) => {
      try {
        const made = factories[name]([], chosen)
        const seen = lib.inspect(made, link)
        if (seen && !found.some((one) => one.scheme === seen.scheme))
          found.push({ scheme: seen.scheme, claims: seen.unverified, covers: made.covers, name, options: chosen })
      } catch {
        // Options that the scheme does not take.
      }
    }
    attempt($('scheme').value, tolerant(options))
    // Of several schemes, the one with more parameters fits better: PichaX's links have all parameters of Laravel's, and a key.
    const parametersOf = (name) => factories[name]([]).parameters.length
    for (const name of Object.keys(factories).sort((a, b) => parametersOf(b) - parametersOf(a))) attempt(name, {})
    if (factories.hmac) attempt('hmac', { placement: 'path' })
    for (const seen of [lib.recognise?.(link) ?? []].flat())
      if (!found.some((one) => one.scheme === seen.scheme))
        found.push({ scheme: seen.scheme, claims: seen.unverified, covers: coversOf(seen.scheme), options: {} })
    return found
  }

  /** What a scheme of this name covers, if the page has it. */
  const coversOf = (name) =>
    Object.values(factories)
      .map((make) => make([]))
      .find((made) => made.name === name)?.covers

  const decoded = (text) => {
    try {
      return decodeURIComponent(text)
    } catch {
      return text
    }
  }

  const PARTS = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\\s]*)?([^?#]*)(\?[^#]*)?(#.*)?$/is

  /** The text of a link as pieces that follow each other: `{ text, kind, name?, value?, means?, covered? }`. */
  function piecesOf(link, reading) {
    const [, origin = '', path = '', query = '', fragment = ''] = PARTS.exec(link)
    const { claims, covers, scheme: made = '', options: chosen = {} } = reading ?? {}
    const [, , ownPath = '', ownQuery = ''] = PARTS.exec(claims ? claims.resource : link)
    const has = (...words) => (covers ? words.some((word) => covers.includes(word)) : undefined)
    const pieces = []
    const add = (text, kind, rest = {}) => text && pieces.push({ text, kind, ...rest })
    const renamed = new Map(Object.entries(chosen.parameters ?? {}).map(([role, name]) => [name, role]))

    const ours = (text, separator) => {
      const [first, ...more] = text.split('=')
      const name = decoded(first)
      const role = ROLES[renamed.get(name) ?? OWN_NAMES[made]?.[name] ?? NAMES[name.toLowerCase()]]
      const [kind, means, words] = role ?? ROLES.other
      const value = decoded(separator === ',' ? more.join('=').replaceAll('~', '%') : more.join('='))
      const isSigned = covers && SIGN_ALL_THEIRS.test(made) && !NOT_SIGNED.includes(name)
      const covered =
        kind === 'signature' ? 'signature' : isSigned || has(...words, `?${name}`, '*') || (words.length > 0 && covers ? false : undefined)
      const signed = role === ROLES.signed ? +dateOf(value) : 0
      add(text, kind, { name, value, means: describe(role, value, means), covered, signed })
    }

    add(origin, 'own', {
      name: 'origin',
      value: origin,
      means: 'Scheme, host and port',
      // Azure signs the account, which is a part of the host.
      covered: made === 'azure' ? undefined : has('host'),
    })
    let rest = path
    if (claims && path !== ownPath && path.endsWith(ownPath.replace(/^\/$/, '')) && /^\/[\w.-]+=/.test(path)) {
      const end = `${path}/`.indexOf('/', 1)
      const separator = path.slice(0, end).includes(',') ? ',' : '&'
      add('/', 'plain')
      for (const [i, piece] of path.slice(1, end).split(separator).entries()) {
        if (i) add(separator, 'plain')
        ours(piece, separator)
      }
      rest = path.slice(end)
    }
    add(rest, 'own', {
      name: 'path',
      value: decoded(rest),
      means: claims?.prefix ? 'What it opens: this, and all else below the prefix' : 'What it opens',
      covered: claims?.prefix ? has('prefix') : has('path'),
    })

    // The parameters that remain in the resource are the URL's own. Each piece is counted once.
    const left = ownQuery.slice(1).split('&')
    const ignored = (name) => (chosen.ignore ?? []).some((one) => name === one || (one.endsWith('*') && name.startsWith(one.slice(0, -1))))
    if (query) add('?', 'plain')
    for (const [i, piece] of query.slice(1).split('&').entries()) {
      if (i) add('&', 'plain')
      const [first, ...more] = piece.split('=')
      const name = decoded(first)
      const at = left.indexOf(piece)
      const value = decoded(more.join('='))
      if (claims && ignored(name)) add(piece, 'own', { name, value, means: 'Ignored: others may add or change it', covered: false })
      else if (claims && at < 0) ours(piece, '&')
      else {
        left.splice(at, 1)
        add(piece, 'own', { name, value, means: 'A parameter of the URL itself', covered: has('query', `?${name}`) })
      }
    }
    add(fragment, 'own', { name: 'fragment', value: decoded(fragment.slice(1)), means: 'Stays in the browser', covered: claims && false })
    return pieces
  }

  /** Seconds, `20260101T000000Z` or ISO 8601; anything else is an invalid date. */
  function dateOf(text) {
    if (/^\d{1,11}$/.test(text)) return new Date(+text * 1000)
    return new Date(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'))
  }

  function describe(role, value, means) {
    const time = role === ROLES.expires || role === ROLES.starts || role === ROLES.signed
    if (time && +dateOf(value)) return `${means}: ${dateText(dateOf(value))}`
    if (role === ROLES.lifetime && /^\d{1,11}$/.test(value)) return `${means}: ${spanText(+value * 1000)}`
    if (role === ROLES.signature && /~hmac=|^eyJ/.test(value)) return 'The conditions and the signature over them, in one'
    if (role === ROLES.signature) return `${means}, ${value.length} characters`
    if (role === ROLES.net && /^\d+$/.test(value)) return means.replace('so many', value)
    return means
  }

  // ---------------------------------------------------------------- Showing a link

  let shown = {} // { link, reading, seen, phase }

  function show(link, { switching = false } = {}) {
    const found = link ? readingsOf(link) : []
    const foreign = found[0]?.name && found[0].name !== $('scheme').value
    if (foreign && switching) {
      // The link's own scheme, so that the buttons work on this link.
      $('scheme').value = found[0].name
      showScheme()
    }
    const placement = $('option-placement')
    // The placement of the link, so that the page signs and verifies links like it.
    if (switching && found[0]?.name && placement) placement.value = found[0].options.placement ?? 'query'
    $('escaped').hidden = !/&(amp|#38|#x26);/i.test(link)
    $('as').replaceChildren(...found.map((one, i) => el('option', { value: i }, one.scheme)))
    $('as-field').hidden = found.length < 2
    shown = { link, found, seen: Date.now() }
    pick(0)
    answer($('verdict'))
    showCode()
  }

  function pick(index) {
    const { link, found } = shown
    const reading = found[index]
    shown.reading = reading
    shown.phase = undefined
    $('reading').hidden = !link
    const pieces = link.length > 16_384 ? [] : piecesOf(link, reading)
    $('anatomy').replaceChildren(
      ...pieces.map(({ text, kind, covered }) => {
        const line = covered === true ? ' c-yes' : covered === false ? ' c-no' : ''
        return kind === 'plain' ? text : el('span', { class: `k-${kind}${line}` }, visible(text))
      }),
    )
    const named = pieces.filter(({ name }) => name !== undefined)
    const rows = named.slice(0, 200).map((piece) => row(piece))
    if (named.length > 200) rows.push(el('li', {}, `and ${named.length - 200} more`))
    $('parts').replaceChildren(...rows)
    $('anatomy').hidden = $('apart').hidden = $('parts').hidden = pieces.length === 0
    showLegend(pieces)
    answer($('verdict'))
    shown.signed = named.find(({ signed }) => signed)?.signed
    showCovers(reading, named)
    // SecureLink's own links show all this in their parameters; other links may have it encoded.
    $('claims').replaceChildren(...(reading && !reading.name ? claimRows(reading.claims) : []))
    say($('status'), statusOf(link, reading))
    tick()
  }

  // The colours and lines of the anatomy, with their words.
  const LEGEND = [
    ['k-own', 'the URL’s own', ({ kind }) => kind === 'own'],
    ['k-time', 'time', ({ kind }) => kind === 'time'],
    ['k-condition', 'condition', ({ kind }) => kind === 'condition'],
    ['k-key', 'key', ({ kind }) => kind === 'key'],
    ['k-signature', 'signature', ({ kind }) => kind === 'signature'],
    ['c-yes', 'covered', ({ covered }) => covered === true],
    ['c-no', 'not covered', ({ covered }) => covered === false],
  ]

  /** Only what the anatomy shows. */
  function showLegend(pieces) {
    const entries = LEGEND.filter(([, , isShown]) => pieces.some(isShown))
    $('legend').replaceChildren(...entries.map(([look, words]) => el('li', {}, el('span', { class: look }, words))))
    $('legend').hidden = entries.length < 2
  }

  function row({ name, value, means, kind, covered }) {
    const words = covered === 'signature' ? 'signature' : covered ? 'covered' : covered === false ? 'not covered' : 'not known'
    const look = covered === 'signature' || covered === undefined ? 'unknown' : covered ? 'yes' : 'no'
    return el(
      'li',
      {},
      el('span', { class: `name k-${kind}` }, visible(name) || '(no name)'),
      el('span', { class: `badge ${look}` }, words),
      el('span', { class: 'value mono', dir: 'ltr' }, visible(value)),
      el('span', { class: 'means' }, means),
    )
  }

  function showCovers(reading, pieces) {
    if (!reading) return say($('covers'), '')
    if (!reading.covers) return say($('covers'), `This page does not know what the signature of ${reading.scheme} links covers.`)
    const open = pieces.filter(({ covered }) => covered === false).map(({ name }) => visible(name))
    const covers = reading.covers.filter((word) => word !== '*').join(', ')
    const all = reading.covers.includes('*') ? `${covers} and all parameters` : covers
    say(
      $('covers'),
      `The signature of ${reading.scheme} covers: ${all}. ${open.length ? `Anyone can change: ${[...new Set(open)].join(', ')}.` : ''}`,
    )
  }

  function statusOf(link, reading) {
    if (!link) return 'Nothing here yet.'
    if (reading && !reading.name) return `A link of ${reading.scheme}. ${cannotVerify(reading)}`
    if (reading) return `A link of ${reading.scheme}, read without a key.`
    const made = factories[$('scheme').value]([], tolerant(options))
    const read = made.read(link)
    return read === 'malformed' || read.malformed
      ? `It looks like a link of ${made.name}, but it is malformed: it has parameters of such a link that cannot be read.`
      : 'No signed link that this page knows.'
  }

  // ---------------------------------------------------------------- Time

  const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
  const dateText = (date) => (Number.isNaN(+date) ? 'no date' : dates.format(date))

  /** The two largest units of a time. */
  function spanText(milliseconds) {
    let seconds = Math.max(0, Math.ceil(milliseconds / 1000))
    const parts = []
    for (const [unit, size] of [
      ['year', 31_536_000],
      ['day', 86_400],
      ['hour', 3600],
      ['minute', 60],
      ['second', 1],
    ]) {
      const count = Math.floor(seconds / size)
      seconds -= count * size
      if (count && parts.length < 2) parts.push(`${count} ${unit}${count > 1 ? 's' : ''}`)
      else if (parts.length) break
    }
    return parts.join(' ') || '0 seconds'
  }

  function tick() {
    const { reading, seen, signed, phase } = shown
    $('time').hidden = !reading
    if (!reading) return
    const now = Date.now()
    const { expires, endless, starts } = reading.claims
    const end = +expires
    const dead = now >= end
    const waits = !dead && starts && now < +starts
    const next = endless || Number.isNaN(end) ? 'endless' : dead ? 'dead' : waits ? 'waits' : 'live'
    const left = $('left')
    left.className = next === 'dead' || next === 'live' ? next : ''
    left.textContent = {
      endless: endless ? 'Never expires' : 'Does not show its expiry',
      dead: `Expired ${spanText(now - end)} ago`,
      waits: `Opens in ${spanText(+starts - now)}`,
      live: `${spanText(end - now)} left`,
    }[next]
    $('left-note').textContent = 'by this machine’s clock'

    const start = starts ? +starts : signed
    const from = waits ? Math.min(seen, start) : start < end ? start : Math.min(seen, end)
    const part = (moment) => `${Math.min(100, Math.max(0, ((moment - from) / (end - from || 1)) * 100))}%`
    // Without a start, the length of the bar is unknown, and a full bar would look like a new link.
    $('bar').hidden = next === 'endless' || !start
    $('bar').classList.toggle('dead', dead)
    $('bar-wait').style.width = waits ? part(+starts) : '0'
    $('bar-gone').style.width = dead || waits ? '0' : part(now)
    $('bar-now').style.left = part(now)
    $('bar').setAttribute('aria-label', `Timeline: ${left.textContent}`)
    $('from').textContent = start ? `${starts ? 'from' : 'signed'} ${dateText(new Date(start))}` : ''
    $('until').textContent = next === 'endless' ? '' : `until ${dateText(expires)}`
    if (phase && phase !== next) say($('status'), next === 'dead' ? 'The link has just expired.' : 'The link opens now.')
    shown.phase = next
  }

  // ---------------------------------------------------------------- Signing and verifying

  const store = (() => {
    const spent = new Map()
    return {
      take(id, _until, uses) {
        const count = spent.get(id) ?? 0
        if (count >= uses) return false
        spent.set(id, count + 1)
        return true
      },
    }
  })()

  function failure(error) {
    return error instanceof lib.LinkError ? `${error.code}: ${error.message}` : `${error?.message ?? error}`
  }

  function conditions() {
    const asked = {}
    for (const { dataset, value } of controls($('conditions'))) {
      const text = value.trim()
      if (text) asked[dataset.name] = CONDITIONS[dataset.name]?.[2]?.(text) ?? text
    }
    return asked
  }

  async function sign() {
    const result = $('signed')
    try {
      const link = await lib.sign(scheme(key()), $('url').value.trim(), conditions())
      $('link').value = link
      show(link)
      result.className = 'result'
      result.replaceChildren('Signed. The link is in the ', el('a', { href: '#link' }, 'field at the top'), '.')
    } catch (error) {
      result.className = 'result bad'
      result.textContent = failure(error)
    }
  }

  function visit() {
    const text = (id) => $(id).value.trim()
    return {
      ...(text('visit-method') && { method: text('visit-method') }),
      ...(text('visit-ip') && { ip: text('visit-ip') }),
      ...(text('visit-tolerance') && { tolerance: text('visit-tolerance') }),
      ...(text('visit-now') && { now: () => new Date(text('visit-now')) }),
    }
  }

  // The reasons that a mistake of the signer can cause.
  const MISTAKEN = ['bad_signature', 'malformed', 'unsigned', 'unknown_key']

  async function verify(verb) {
    const box = $('verdict')
    const link = $('link').value.trim()
    const { reading } = shown
    if (reading && !reading.name) return answer(box, '', el('p', { class: 'word' }, 'No verdict'), el('p', {}, cannotVerify(reading)))
    try {
      const made = scheme(key())
      const verdict = verb === 'redeem' ? await lib.redeem(made, link, { ...visit(), store }) : await lib.verify(made, link, visit())
      // The link was changed while the result was computed.
      if (link !== $('link').value.trim()) return
      showVerdict(box, verdict)
      if (MISTAKEN.includes(verdict.reason)) await addMistakes(box, link)
    } catch (error) {
      answer(box, 'bad', el('p', { class: 'word' }, 'No verdict'), el('p', {}, failure(error)))
    }
  }

  const cannotVerify = ({ scheme }) => `This page reads links of ${scheme}, but cannot verify them.`

  /** The answer of `explain`, with the key and the options of the page. */
  const explained = (link) => lib.explain(scheme(key()), link, { ...visit(), make: [factories[$('scheme').value], key(), options()] })

  /** Below a verdict: the mistakes that were found, if any. */
  async function addMistakes(box, link) {
    if (!lib.explain) return
    const { mistakes } = await explained(link)
    if (link === $('link').value.trim() && mistakes.length > 0) box.append(mistakeList(mistakes))
  }

  const mistakeList = (mistakes) =>
    el('ul', { class: 'mistakes' }, ...mistakes.map(({ sentence, remedy }) => el('li', {}, `${sentence} `, el('em', {}, remedy))))

  async function explain() {
    const box = $('verdict')
    const link = $('link').value.trim()
    const { reading } = shown
    if (reading && !reading.name) return answer(box, '', el('p', { class: 'word' }, 'No verdict'), el('p', {}, cannotVerify(reading)))
    try {
      const { verdict, mistakes, stringToSign, canonicalRequest, expected, tried } = await explained(link)
      if (link !== $('link').value.trim()) return
      showVerdict(box, verdict)
      if (mistakes.length > 0) box.append(mistakeList(mistakes))
      else if (MISTAKEN.includes(verdict.reason))
        box.append(el('p', {}, `None of the known mistakes made this signature; ${tried} signatures were computed.`))
      const texts = {
        'Canonical request': canonicalRequest,
        'String to sign': stringToSign,
        'Expected signature': verdict.ok ? undefined : expected,
      }
      for (const [name, text] of Object.entries(texts))
        if (text)
          box.append(
            el('h3', {}, name),
            el('pre', { tabindex: '0', role: 'region', 'aria-label': name }, visible(text).replaceAll('\\u{a}', '\n')),
          )
    } catch (error) {
      answer(box, 'bad', el('p', { class: 'word' }, 'No verdict'), el('p', {}, failure(error)))
    }
  }

  // ---------------------------------------------------------------- Sharing

  /** A permalink of this page, with the link after `#`, which browsers do not send to servers. */
  function share({ isSure = false } = {}) {
    const box = $('verdict')
    const link = $('link').value.trim()
    const { expires, endless } = shown.reading?.claims ?? {}
    const isValid = endless || Date.now() < +expires
    if (isValid && !isSure) {
      const anyway = el('button', { type: 'button' }, 'Make the permalink anyway')
      anyway.addEventListener('click', () => share({ isSure: true }))
      const until = endless ? 'It never expires' : `It is valid until ${dateText(expires)}`
      return answer(
        box,
        'bad',
        el('p', { class: 'word' }, 'This link may still be valid'),
        el('p', {}, `${until}. Everybody who gets the permalink can use it. `),
        anyway,
      )
    }
    const permalink = `${location.href.replace(/#.*/s, '')}#link=${encodeURIComponent(link)}`
    history.replaceState(null, '', permalink)
    const input = el('input', { readonly: '', 'aria-label': 'Permalink', class: 'mono' })
    input.value = permalink
    answer(
      box,
      '',
      el('p', { class: 'word' }, 'Permalink'),
      el('p', {}, 'The permalink is also in the address bar. It contains the link, but no key.'),
      input,
    )
    input.select()
  }

  /** Shows the link of a permalink. */
  function openPermalink() {
    const [, text] = /^#link=(.+)$/s.exec(location.hash) ?? []
    if (!text) return false
    $('link').value = decoded(text)
    show($('link').value, { switching: true })
    return true
  }

  function showExamples() {
    const buttons = (globalThis.EXAMPLES ?? []).map((example) => {
      const button = el('button', { type: 'button' }, example.scheme)
      button.addEventListener('click', () => openExample(example))
      return button
    })
    $('examples').replaceChildren(...buttons)
    asToolbar($('examples'), buttons)
  }

  /** One stop of the tab key for all of these buttons: the arrow keys, Home and End move among them. */
  function asToolbar(toolbar, buttons) {
    const reach = (chosen) => {
      for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1
    }
    reach(buttons[0])
    toolbar.addEventListener('focusin', ({ target }) => reach(target))
    toolbar.addEventListener('keydown', (event) => {
      const at = buttons.indexOf(event.target)
      const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
      if (next === undefined) return
      event.preventDefault()
      buttons.at(next % buttons.length).focus()
    })
  }

  function openExample({ scheme: name, link, key, visit = {} }) {
    if (factories[name]) {
      $('scheme').value = name
      showScheme()
    }
    $('key-id').value = key?.id ?? ''
    if (key) $('secret').value = key.secret
    $('visit-method').value = visit.method ?? 'GET'
    $('visit-ip').value = visit.ip ?? ''
    $('visit-now').value = visit.now ? localTime(new Date(visit.now)) : ''
    $('link').value = link
    show(link, { switching: true })
    const with_ = key ? ' Its key and a time before its expiry are filled in below.' : ''
    say($('status'), `${$('status').textContent}${with_}`)
  }

  /** As the field for a time takes it: in the visitor's time zone. */
  const localTime = (date) => new Date(+date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)

  function claimRows(claims) {
    return Object.entries(claims).flatMap(([name, value]) => [
      el('dt', {}, CLAIMS[name] ?? name),
      el('dd', { dir: 'ltr' }, value instanceof Date ? dateText(value) : visible([value].flat().join(', '))),
    ])
  }

  function showVerdict(box, { ok, reason, status, claims, scheme: maker }) {
    const rows = claimRows(claims ?? {})
    answer(
      box,
      ok ? 'good' : 'bad',
      el('p', { class: 'word' }, ok ? 'Accepted' : `Refused: ${reason}`),
      el('p', {}, ok ? `A valid link of ${maker}.` : `Status ${status}. ${REASONS[reason] ?? ''}`),
      ...(rows.length ? [el('dl', {}, ...rows)] : []),
    )
  }

  function answer(box, look = '', ...children) {
    box.className = `verdict ${look}`
    box.replaceChildren(...children)
  }

  /** Changes the last letter of the path, as an attacker would to get another file. */
  function tamper() {
    const link = $('link').value.trim()
    const [, origin = '', path = '', query = '', fragment = ''] = PARTS.exec(link) ?? []
    const at = path.search(/[a-z0-9](?=[^a-z0-9]*$)/i)
    const changed = at < 0 ? `${path}x` : path.slice(0, at) + (path[at] === 'x' ? 'y' : 'x') + path.slice(at + 1)
    $('link').value = origin + changed + query + fragment
    show($('link').value)
    say($('status'), 'One letter of the path has been changed. Verify the link again.')
  }

  // ---------------------------------------------------------------- Code

  const quote = (text) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
  const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`

  function literal(value) {
    if (value instanceof Date) return Number.isNaN(+value) ? 'new Date(NaN)' : `new Date('${value.toISOString()}')`
    if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
    if (value && typeof value === 'object') {
      const fields = Object.entries(value).map(([name, one]) => `${/^[a-z_$][\w$]*$/i.test(name) ? name : quote(name)}: ${literal(one)}`)
      return `{ ${fields.join(', ')} }`
    }
    return typeof value === 'string' ? quote(value) : `${value}`
  }

  // The secret is never part of the code: each runtime has a place for it.
  const RUNTIMES = {
    Node: (parts) => onServer(parts, '', 'process.env.LINK_SECRET'),
    Deno: (parts) => onServer(parts, 'npm:', "Deno.env.get('LINK_SECRET')"),
    Bun: (parts) => onServer(parts, '', 'Bun.env.LINK_SECRET'),
    Worker: ({ imports, make }) => `${imports('', '')}import { guard } from 'securelink/guard'

let links

export default {
  fetch(request, env) {
    links ??= ${make('env.LINK_SECRET')}
    return guard(links, (request, claims) => new Response(claims.resource), {
      ip: (request) => request.headers.get('cf-connecting-ip') ?? undefined
    })(request)
  }
}`,
    Browser: ({ name, file, chosen, link }) => `<!-- No secrets in pages: an empty keyring reads, and a server signs. -->
<script type="module">
  ${inBrowser(name, file)}

  const seen = inspect(${name}([]${chosen}), ${quote(link).replaceAll('</', '<\\/')})
  console.log(seen?.unverified.expires)
</script>`,
    curl: ({ link, method }) => {
      const flag = { GET: '', HEAD: '-I ' }[method] ?? `-X ${shell(method)} `
      return `curl -i ${flag}${shell(link)}`
    },
  }

  /** The small bundle has two schemes; each of the others is a file of its own. */
  function inBrowser(name, file) {
    const dist = `https://cdn.jsdelivr.net/npm/securelink@${VERSION}/dist`
    if (['hmac', 'pichax'].includes(name)) return `import { ${name}, inspect } from '${dist}/securelink.min.js'`
    return `import { inspect } from '${dist}/index.js'\n  import { ${name} } from '${dist}/schemes/${file}.js'`
  }

  function onServer({ imports, make, url, asked, visit }, from, secret) {
    // A link with limited uses is redeemed, and a store counts the uses.
    const counts = Boolean(asked.uses)
    const verb = counts ? 'redeem' : 'verify'
    const store = counts ? `import { memoryStore } from '${from}securelink/stores/memory'\n` : ''
    const options = Object.entries(visit).map(([name, value]) => `${name}: ${literal(value)}`)
    if (counts) options.push('store: memoryStore()')
    return `${imports(from, `, ${counts ? 'redeem, sign' : 'sign, verify'}`)}${store}
const links = ${make(secret)}

const link = await sign(links, ${quote(url)}, ${literal(asked)})
const verdict = await ${verb}(links, link${options.length ? `, { ${options.join(', ')} }` : ''})
console.log(verdict.ok || verdict.reason)`
  }

  let runtime = 'Node'

  function showCode() {
    const name = $('scheme').value
    const chosen = Object.keys(tolerant(options)).length ? `, ${literal(tolerant(options))}` : ''
    const file = factories[name]([]).name
    const visit = {
      ...($('visit-ip').value.trim() && { ip: $('visit-ip').value.trim() }),
      ...(!/^(get)?$/i.test($('visit-method').value.trim()) && { method: $('visit-method').value.trim() }),
    }
    const text = RUNTIMES[runtime]({
      name,
      file,
      chosen,
      link: $('link').value.trim(),
      url: $('url').value.trim(),
      method: $('visit-method').value.trim().toUpperCase() || 'GET',
      asked: conditions(),
      visit,
      imports: (from, verbs) => {
        if (name === 'hmac') return `import { hmac${verbs} } from '${from}securelink'\n`
        const own = `import { ${name} } from '${from}securelink/schemes/${file}'\n`
        return verbs ? `import { ${verbs.slice(2)} } from '${from}securelink'\n${own}` : own
      },
      make: (secret) => `${name}({ ${$('key-id').value ? `id: ${quote($('key-id').value)}, ` : ''}secret: ${secret} }${chosen})`,
    })
    $('code').textContent = text
    say($('copied'), '')
    for (const button of $('runtimes').children) button.setAttribute('aria-pressed', `${button.textContent === runtime}`)
  }

  async function copy() {
    const text = $('code').textContent
    try {
      await navigator.clipboard.writeText(text)
      say($('copied'), 'Copied.')
    } catch {
      // The page cannot use the clipboard, because of plain http or a missing permission. Select the text, so that the user can copy it.
      getSelection().selectAllChildren($('code'))
      say($('copied'), 'Selected: copy it with your keyboard or menu.')
    }
  }

  // ---------------------------------------------------------------- Start

  function generate() {
    // 33 bytes are base64 without padding: valid as text for most schemes, and as base64 for the others.
    $('secret').value = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(33))))
  }

  function notice(text) {
    $('notice').textContent = text
    $('notice').hidden = false
  }

  async function start() {
    if (!lib) {
      notice(
        'The SDK is missing: “npm run build” makes dist/securelink.all.umd.js. The source of this page says how to load it from a CDN.',
      )
      for (const control of document.querySelectorAll('main input, main select, main textarea, main button')) control.disabled = true
      return
    }
    findSchemes()
    $('runtimes').replaceChildren(...Object.keys(RUNTIMES).map((name) => el('button', { type: 'button', 'aria-pressed': 'false' }, name)))
    $('key-id').value = 'playground'
    $('url').value = 'https://cdn.example/report.pdf?page=2'
    generate()
    showScheme()
    listen()
    showExamples()
    setInterval(tick, 1000)
    if (!globalThis.crypto?.subtle) {
      $('no-webcrypto').hidden = false
      return show('')
    }
    if (openPermalink()) return
    await sign()
    $('signed').textContent = ''
    say($('status'), 'An example, signed just now with the key below. Paste your own link over it.')
  }

  function listen() {
    const on = (id, type, act) => $(id).addEventListener(type, act)
    const again = () => show($('link').value.trim())
    on('link', 'input', () => show($('link').value.trim(), { switching: true }))
    on('as', 'change', () => pick(+$('as').value))
    on('scheme', 'change', () => {
      showScheme()
      again()
    })
    on('options', 'input', () => {
      showConditions()
      again()
    })
    for (const id of ['secret', 'key-id', 'url', 'conditions', 'verify-form'])
      on(id, 'input', () => {
        answer($('verdict'))
        say($('signed'), '')
        showCode()
      })
    on('generate', 'click', () => {
      generate()
      answer($('verdict'))
      say($('secret-note'), 'A new secret. Links signed with the old one no longer verify.')
    })
    on('sign-form', 'submit', (event) => {
      event.preventDefault()
      return sign()
    })
    on('verify-form', 'submit', (event) => {
      event.preventDefault()
      return verify('verify')
    })
    on('redeem', 'click', () => verify('redeem'))
    on('tamper', 'click', tamper)
    on('explain', 'click', explain)
    on('share', 'click', () => share())
    on('unescape', 'click', () => {
      $('link').value = $('link').value.replace(/&(amp|#38|#x26);/gi, '&')
      show($('link').value.trim(), { switching: true })
    })
    addEventListener('hashchange', openPermalink)
    on('copy', 'click', copy)
    on('runtimes', 'click', ({ target }) => {
      if (target.localName !== 'button') return
      runtime = target.textContent
      showCode()
    })
    for (const button of document.querySelectorAll('button[data-link]'))
      button.addEventListener('click', () => {
        $('link').value = new URL(button.dataset.link, location.href).href
        show($('link').value, { switching: true })
        $('link').focus()
      })
  }

  // Shows every error in the page.
  start().catch((error) => notice(`This page failed: ${error.message}`))
})()
