// The tables that come with the package. To add a table for a scheme, add a line to this list. Each is loaded when a link of its scheme is
// explained, so that pages do not carry all of them.
import type { Table } from '../table.ts'

const TABLES: Readonly<Record<string, () => Promise<Table>>> = {
  hmac: async () => (await import('./hmac.ts')).HMAC,
  s3: async () => (await import('./sigv4.ts')).SIGV4,
  gcs: async () => (await import('./sigv4.ts')).SIGV4,
  nginx: async () => (await import('./nginx.ts')).NGINX,
  'nginx-hmac': async () => (await import('./nginx.ts')).NGINX_HMAC,
  azure: async () => (await import('./azure.ts')).AZURE,
  imgproxy: async () => (await import('./imgproxy.ts')).IMGPROXY,
  cloudinary: async () => (await import('./cloudinary.ts')).CLOUDINARY,
  imgix: async () => (await import('./imgix.ts')).IMGIX,
  imagekit: async () => (await import('./imagekit.ts')).IMAGEKIT,
  pichax: async () => (await import('./pichax.ts')).PICHAX,
  akamai: async () => (await import('./edge-token.ts')).AKAMAI,
  'media-cdn': async () => (await import('./edge-token.ts')).MEDIA_CDN,
  bunny: async () => (await import('./bunny.ts')).BUNNY,
  'cloud-cdn': async () => (await import('./cloud-cdn.ts')).CLOUD_CDN,
  cloudflare: async () => (await import('./cloudflare.ts')).CLOUDFLARE,
  'cloudflare-images': async () => (await import('./cloudflare.ts')).CLOUDFLARE_IMAGES,
  cloudfront: async () => (await import('./cloudfront.ts')).CLOUDFRONT,
  'gcs-rsa': async () => (await import('./sigv4.ts')).SIGV4,
  jwt: async () => (await import('./jwt.ts')).JWT,
  laravel: async () => (await import('./php.ts')).LARAVEL,
  symfony: async () => (await import('./php.ts')).SYMFONY,
  s3v2: async () => (await import('./s3v2.ts')).S3V2,
  'alibaba-cdn': async () => (await import('./timestamp-token.ts')).TIMESTAMP_TOKEN,
  'tencent-cdn': async () => (await import('./timestamp-token.ts')).TIMESTAMP_TOKEN,
  'oss-v4': async () => (await import('./oss-v4.ts')).OSS_V4,
  'tencent-cos': async () => (await import('./tencent-cos.ts')).TENCENT_COS,
  thumbor: async () => (await import('./thumbor.ts')).THUMBOR,
  fastly: async () => (await import('./fastly.ts')).FASTLY,
  keycdn: async () => (await import('./keycdn.ts')).KEYCDN,
  bytescale: async () => (await import('./bytescale.ts')).BYTESCALE,
  'google-maps': async () => (await import('./google-maps.ts')).GOOGLE_MAPS,
  qiniu: async () => (await import('./qiniu.ts')).QINIU,
  signed: async () => (await import('./signed.ts')).SIGNED,
  adonis: async () => (await import('./adonis.ts')).ADONIS,
  upyun: async () => (await import('./upyun.ts')).UPYUN,
}

/** The table of a scheme: one of the caller's, or one of the package. */
export async function tableOf(scheme: string, tables: readonly Table[]): Promise<Table | undefined> {
  const own = tables.find(({ schemes }) => schemes.includes(scheme))
  return own ?? (Object.hasOwn(TABLES, scheme) ? TABLES[scheme]?.() : undefined)
}
