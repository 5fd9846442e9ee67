/**
 * Addresses that mean the asking machine itself, or its link: loopback, and the metadata services of clouds. A registry that sends others there
 * wants to reach what it cannot (https://owasp.org/www-community/attacks/Server_Side_Request_Forgery).
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const local = new BlockList();
// RFC 6890, sections 2.2.2 and 2.2.3.
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addSubnet('::', 127, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
local.addAddress('fd00:ec2::254', 'ipv6');

/** A host that a registry may not name. */
export class LocalAddressError extends Error {
  constructor(host: string) {
    super(`${host} is an address of the machine itself, which a registry may not name`);
  }
}

/** @param address IPv4 or IPv6, without brackets */
export function isLocalAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && local.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** @param hostname as in a URL */
export function isLocalHost(hostname: string): boolean {
  const name = hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || isLocalAddress(name);
}

/** As Node.js looks up names, but for those that have such an address. */
export const lookupOthers: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const [first] = found ?? [];
    if (error !== null || first === undefined) return callback(error, '');
    if (found.some(({ address }) => isLocalAddress(address))) return callback(new LocalAddressError(hostname), '');
    return options.all === true ? callback(null, found) : callback(null, first.address, first.family);
  });
};
