// njs loads this for test/njs/njs.server.test.ts: it verifies a request as a vector says, with the same `verify` as in production.
import securelink from 'securelink.js'

async function judge(r) {
  const vector = JSON.parse(decodeURIComponent(r.headersIn['x-vector']))
  const settings = Object.assign({ method: r.variables.request_method }, vector.settings)
  settings.now = () => new Date(vector.now)
  if (vector.revoked) settings.revoked = () => true
  // A request line cannot hold these.
  const visit =
    vector.url === undefined ? r : { variables: { request_uri: vector.url }, rawVariables: { request_uri: Buffer.from(vector.url) } }
  let answer = {}
  try {
    const verdict = await securelink.verify(visit, settings)
    answer = { result: verdict.ok ? 'ok' : verdict.reason, status: verdict.status, claims: verdict.claims, scheme: verdict.scheme }
  } catch (error) {
    answer = { thrown: `${error.name} ${error.message}` }
  }
  r.headersOut['x-verdict'] = encodeURIComponent(JSON.stringify(answer))
  r.return(200)
}

export default { judge }
