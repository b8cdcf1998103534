// The files that are mutated, and the tests that should fail then. `schemes` are the schemes whose vectors run as well, or `all`. With `dom` the tests
// have a window.
const CORE_TESTS = ['core/*', 'lib/*', 'http/guard', 'http/refusal', 'http/request-target']

export const AREAS = {
  core: {
    files: ['core/*'],
    tests: [...CORE_TESTS, 'stores/uses'],
    schemes: ['nginx', 'cloudfront', 'jwt', 'akamai', 'media-cdn'],
    first: ['hmac', 'pichax'],
  },
  lib: {
    files: ['lib/*'],
    quick: ['lib/normalise', 'lib/url', 'lib/encoding'],
    tests: [...CORE_TESTS, 'media/*', 'schemes/hmac.property'],
    schemes: ['nginx', 'cloudfront', 'laravel', 'media-cdn', 'cloud-cdn'],
    first: ['hmac'],
  },
  hmac: {
    files: ['schemes/hmac'],
    quick: ['schemes/hmac'],
    tests: ['core/*', 'schemes/hmac.property'],
    schemes: ['hmac'],
    first: ['hmac'],
  },
  sigv4: {
    files: ['schemes/shared/sigv4', 'schemes/shared/canonical-request'],
    quick: ['schemes/shared/canonical-request', 'schemes/shared/presigned'],
    tests: ['schemes/shared/sigv4', 'post/post-policy'],
    schemes: ['s3', 'gcs-rsa'],
    first: ['gcs'],
  },
  schemes: {
    files: ['schemes/*', 'schemes/shared/*'],
    tests: ['schemes/*', 'schemes/shared/*', 'core/errors', 'core/keys', 'core/options', 'core/requests'],
    schemes: 'all',
    first: [],
  },
  http: {
    files: ['http/*', 'http/node/*'],
    tests: ['http/*', 'http/node/*', 'core/requests', 'core/options', 'core/errors', 'media/*'],
    schemes: ['hmac'],
    first: [],
  },
  client: { files: ['client/*'], tests: ['client/*'], schemes: ['hmac'], first: [], dom: true },
  stores: { files: ['stores/*'], tests: ['stores/*'], schemes: ['hmac'], first: [] },
  service: { files: ['service/*'], tests: ['service/*'], schemes: ['hmac'], first: [] },
  media: { files: ['media/*'], tests: ['media/*'], schemes: ['hmac'], first: [] },
  post: { files: ['post/*'], tests: ['post/*'], schemes: ['s3'], first: [] },
  // Without serve and demo, whose tests need the built command.
  cli: {
    files: [
      'explain',
      'help',
      'inspect',
      'keygen',
      'lines',
      'main',
      'options',
      'request',
      'scheme',
      'sign',
      'string-to-sign',
      'verify',
    ].map((name) => `cli/${name}`),
    tests: ['cli/main', 'cli/explain'],
    schemes: ['hmac'],
    first: [],
  },
  explain: { files: ['explain/*', 'explain/rules/*', 'explain/tables/*'], tests: ['explain/*'], schemes: ['hmac'], first: [] },
  recognise: { files: ['recognise/*', 'recognise/rules/*'], tests: ['recognise/*'], schemes: ['hmac'], first: [] },
}
