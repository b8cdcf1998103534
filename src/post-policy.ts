// securelink/post-policy: signed HTML forms that upload a file to a storage, and their verification.
export type { PostCondition } from './core/scheme.ts'
export { type PostConditions, type PostOptions, postPolicy, type SignedPost } from './post/post-policy.ts'
export type { Upload, UploadedFile, UploadForm } from './post/upload.ts'
export {
  type AcceptedPost,
  type PostClaims,
  type PostReason,
  type PostVerdict,
  type RefusedPost,
  type TrustedPostReason,
  type UntrustedPostReason,
  type VerifyPostOptions,
  verifyPost,
} from './post/verify-post.ts'
