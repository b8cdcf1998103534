// The comparisons. Named one by one, so that they can be bundled for browsers.

export const COMPARISONS = {
  sign: () => import('./comparisons/sign.mjs'),
  verify: () => import('./comparisons/verify.mjs'),
  remembered: () => import('./comparisons/remembered.mjs'),
  presign: () => import('./comparisons/presign.mjs'),
  presigned: () => import('./comparisons/presigned.mjs'),
}
