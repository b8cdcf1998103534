// securelink/media: playlists whose segments are signed.
export { type PlaylistOptions, signPlaylist } from './media/playlist.ts'
