// The gateways that a program was told: checked, and remembered by the profile before those it learns.
import type { Profile, ProfileOptions } from './profile.ts'
import { checkGatewayUrl } from './websocket.ts'

/** USAGE, NET_INSECURE. */
export const gatewaysOf = ({ gateway, insecure = false }: ProfileOptions): string[] => {
  const named = gateway === undefined ? [] : typeof gateway === 'string' ? gateway.split(',') : gateway
  const urls = named.map((url) => url.trim()).filter((url) => url !== '')
  for (const url of urls) checkGatewayUrl(url, { insecure })
  return urls
}

export const rememberNamed = (profile: Profile, options: ProfileOptions): void =>
  profile.rememberGateways(gatewaysOf(options), { first: true })
