// Codes of the authority are the protocol's: devices compute them too.
export { codeOf, linkCodeOf, normalizeCode } from '../../protocol/codes.ts'
