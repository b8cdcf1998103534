// securelink/media: signs the URLs of playlists and manifests.
export type { LeftAddress } from './media/address.ts'
export { signManifest } from './media/manifest.ts'
export type { MediaOptions } from './media/options.ts'
export { signPlaylist } from './media/playlist.ts'
