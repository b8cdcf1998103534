// Bunny signs path, expiry, address and parameters without separators. This finds texts that can also be split in another way.
import { assertOption } from '../../core/errors.ts'
import { type Parameter, signingData } from './bunny-parameters.ts'

/** The parameters as they are signed. Throws if these would also be others. */
export function dataToSign(parameters: readonly Parameter[], withoutEmpty: boolean): string {
  const data = signingData(parameters, withoutEmpty)
  const rule =
    "one whose parameters have no & or = in them, no digit at the beginning and no ten digits in the first name: links don't keep them apart"
  assertOption(data !== undefined, 'url', rule)
  return data
}

const EXPIRY = /[1-9]\d{9}/

/**
 * Could the rest of this path, after an expiry, be a parameter of a shorter path? `/a4102444800x=` would also be `/a?x=…` until the year 2100, and
 * `/a?x=4102444800` would be `/a…x=` until then.
 */
export const hidesParameters = (path: string): boolean => EXPIRY.test(path.slice(0, path.lastIndexOf('=') + 1))

/** Throws for a path and an address that links would not keep apart from the rest. */
export function assertApart(path: string, address: Uint8Array | string, data: string): void {
  const rule = "one whose path has no '=' after ten digits: links don't keep path, expiry and parameters apart"
  assertOption(!hidesParameters(path), 'url', rule)
  assertOption(!passesForParameters(address, data), 'ip', "another one, or left out: links don't keep it apart from these parameters")
}

/**
 * Could this address, as it is signed, be the last digits of an expiry and the beginning of parameters? Then a link for `/a9` that is not bound to an
 * address would also be one for `/a` that is, with a `9` in front of its expiry. `data` is the text of the parameters.
 */
export function passesForParameters(address: Uint8Array | string, data: string): boolean {
  if (typeof address === 'string' || !isDigit(address[0])) return false
  const text = textIn(address)
  return text !== undefined && `${text}${data}`.includes('=')
}

const isDigit = (byte = 0): boolean => byte >= 0x30 && byte <= 0x39

/** `undefined` for bytes that are not UTF-8. */
function textIn(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
