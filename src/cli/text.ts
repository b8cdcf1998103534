// decoderFor: decodes UTF-8, and UTF-16 with a byte order mark, because `securelink … > file` in Windows PowerShell writes that.

/** A decoder for a text that begins with these bytes. */
export function decoderFor([first, second]: Uint8Array): TextDecoder {
  return new TextDecoder(first === 0xff && second === 0xfe ? 'utf-16le' : 'utf-8')
}

/** Has a text bytes that are not UTF-8? Decoders put this character in their place. */
export const isBroken = (text: string): boolean => text.includes('\ufffd')
