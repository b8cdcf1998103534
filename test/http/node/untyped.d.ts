// Packages that have no types of their own.
declare module 'polka'
