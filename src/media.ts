// securelink/media: signs the URLs of playlists.
export { type LeftAddress, type PlaylistOptions, signPlaylist } from './media/playlist.ts'
