// The schemes of this package that make the links of a vendor. `recognise` names vendors, and needs no scheme.

/** A scheme of this package, and the options that it needs for the links of a vendor. */
export interface Source {
  /** The name of its file. */
  readonly scheme: string
  readonly options?: object
}

// The vendors with links of several schemes, or of a scheme with another name.
const SOURCES: Readonly<Record<string, readonly Source[]>> = {
  s3: [{ scheme: 's3' }, { scheme: 's3v2' }],
  gcs: [{ scheme: 'gcs' }, { scheme: 'gcs-rsa' }],
  oss: [{ scheme: 'oss-v4' }, { scheme: 's3v2', options: { vendor: 'oss' } }],
  obs: [{ scheme: 's3v2', options: { vendor: 'obs' } }],
  cos: [{ scheme: 'tencent-cos' }],
  'google-cloud-cdn': [{ scheme: 'cloud-cdn' }],
  cloudinary: [{ scheme: 'cloudinary' }, { scheme: 'akamai', options: { vendor: 'cloudinary' } }],
  uploadcare: [{ scheme: 'akamai', options: { vendor: 'uploadcare' } }],
  supabase: [{ scheme: 'jwt' }],
}

/** The schemes that can have made the link of a vendor. For a vendor without a scheme in this package, a scheme that does not exist. */
export function sourcesOf(vendor: string): readonly Source[] {
  return Object.hasOwn(SOURCES, vendor) ? (SOURCES[vendor] as readonly Source[]) : [{ scheme: vendor }]
}
