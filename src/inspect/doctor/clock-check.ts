/** Whether clocks agree: certificates and Leases are judged by them. The API server's is the reference. */
import { listed, type Check, type Problem } from './check.ts';
import type { Facts } from './facts.ts';

/** Milliseconds: what synchronized clocks stay far below, and what a Lease of 15 s can bear. */
const tolerated = 5_000;

export const clock: Check = {
  id: 'clock',
  title: 'the clocks of the API server, the nodes, the controller and this machine agree',
  judge: (facts) => {
    const found = [...ofThisMachine(facts), ...ofLeases(facts)];
    const isUnseen = facts.clock === null || facts.nodeLeases === null;
    return found.length === 0 && isUnseen ? null : found;
  },
};

function ofThisMachine({ clock: seen }: Facts): Problem[] {
  if (seen === null || Math.abs(seen.ahead) <= tolerated + seen.uncertainty) return [];
  const [seconds, side] = [Math.round(Math.abs(seen.ahead) / 1000), seen.ahead > 0 ? 'behind' : 'ahead of'];
  return [
    {
      sentence: `the clock of this machine is ${seconds} s ${side} the API server's`,
      remedy: 'synchronize both with NTP: timedatectl shows whether a machine is',
    },
  ];
}

/** A renewal in the future was written by a clock that is ahead. One that is behind cannot be told from a holder that has stopped. */
function ofLeases({ nodeLeases, releases, clock: seen, now }: Facts): Problem[] {
  const leases = [
    ...(nodeLeases ?? []).map(({ metadata, spec }) => ({ who: `node ${metadata?.name}`, renewTime: spec?.renewTime })),
    ...(releases ?? []).map(({ lease, namespace }) => ({
      who: `controller ${namespace}/${lease?.spec?.holderIdentity}`,
      renewTime: lease?.spec?.renewTime,
    })),
  ];
  const ahead = leases.flatMap(({ who, renewTime }) => {
    const difference = renewTime === undefined ? 0 : new Date(renewTime).getTime() - now.getTime();
    return difference <= tolerated + (seen?.uncertainty ?? 0) ? [] : [`${who} by ${Math.round(difference / 1000)} s`];
  });
  if (ahead.length === 0) return [];
  return [
    {
      sentence: `clocks are ahead of the API server's: ${listed(ahead)}`,
      remedy: 'synchronize them with NTP: timedatectl on the node shows whether it is',
    },
  ];
}
