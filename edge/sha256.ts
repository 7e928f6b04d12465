/** Of the text's UTF-8, by the Web's cryptography, which every runtime has. */
export async function sha256Of(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
