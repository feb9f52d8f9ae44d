// Is the time of a call booked on who spent it?
import { describe, expect, it } from 'vitest';

import {
  NATIVE,
  nodeFunctions,
  nodeShares,
  pythonFunctions,
  pythonShares,
  type CpuProfile,
} from './cpu-profile.ts';

const frames: readonly (readonly [functionName: string, url: string])[] = [
  ['(idle)', ''],
  ['#send', 'file:///x/dist/supervisors/pool/router.js'],
  ['send', 'file:///x/dist/supervisors/system.js'],
  ['feed', 'file:///x/dist/actors/port/frame.js'],
  ['parse', ''],
  ['writeBuffer', ''],
  ['onStreamRead', 'node:internal/stream_base_commons'],
  ['assign', 'file:///x/node_modules/xstate/dist/raise.js'],
  ['run', 'file:///x/dist/test/bench/profile.js'],
];

const PROFILE: CpuProfile = {
  nodes: frames.map(([functionName, url], id) => ({ id, callFrame: { functionName, url } })),
  samples: [0, 1, 2, 3, 3, 4, 5, 6, 7, 8],
  timeDeltas: [1_000, 10, 20, 30, 40, 50, 60, 5, 7, 9],
};

describe('samples of Node', () => {
  it('are added up by room, for one call, without the time of idleness', () => {
    expect(nodeShares(PROFILE, 10)).toEqual([
      { name: 'actors/port', us: 7 },
      { name: NATIVE, us: 6 },
      { name: 'built-ins: JSON, maps, promises', us: 5 },
      { name: 'supervisors', us: 2 },
      { name: 'supervisors/pool', us: 1 },
      { name: 'the benchmark itself', us: 0.9 },
      { name: 'xstate', us: 0.7 },
      { name: 'Node’s own JavaScript: streams, net, timers', us: 0.5 },
    ]);
  });

  it('that are far late count as three periods: the rest was another process’s', () => {
    const late = { ...PROFILE, samples: [3, 3], timeDeltas: [5_000, 100] };
    expect(nodeShares(late, 1)).toEqual([{ name: 'actors/port', us: 400 }]);
  });

  it('are added up by function with its file', () => {
    const [first] = nodeFunctions(PROFILE, 10);
    expect(first).toEqual({ name: 'feed  port/frame.js', us: 7 });
  });
});

describe('samples of Python', () => {
  it.each([
    ['caduceus/_lanes.py', 'receive', 'receive'],
    ['caduceus/_lanes.py', 'send', 'send'],
    ['caduceus/_frames.py', 'receive_bytes', 'decode'],
    ['caduceus/_frames.py', 'encode_message', 'encode'],
    ['caduceus/_values.py', 'encode_value', 'encode'],
    ['caduceus/_values.py', 'decode_value', 'decode'],
    ['caduceus/_frame_decoder.py', '_read_header_only', 'decode'],
    ['caduceus/_values.py', '_is_ordinary', 'encode'],
    ['caduceus/_json.py', '_decode_json', 'decode'],
    ['caduceus/_json.py', '<lambda>', 'encode'],
    ['caduceus/_lanes.py', '_send_many', 'send'],
    ['json/encoder.py', 'encode', 'encode'],
    ['json/decoder.py', 'raw_decode', 'decode'],
    ['caduceus/base_bridge.py', 'handle_command', 'dispatch to the handler'],
    ['bench/echo_bridge.py', '<lambda>', 'the handler'],
    ['caduceus/worker.py', 'run', 'call loop: context, cancellation, checks'],
    ['lib/threading.py', 'wait', 'other'],
  ])('in %s %s are %s', (file, name, room) => {
    expect(pythonShares([[file, name, 3]], 40)).toEqual([{ name: room, us: 40 }]);
  });

  it('are told by function too', () => {
    const [first] = pythonFunctions([['caduceus/_lanes.py', 'send', 3]], 40);
    expect(first).toEqual({ name: 'send  caduceus/_lanes.py', us: 40 });
  });

  it('share the processor time of one call among them', () => {
    const shares = pythonShares(
      [
        ['caduceus/_lanes.py', 'send', 3],
        ['caduceus/worker.py', 'run', 1],
      ],
      40,
    );
    expect(shares.map(({ us }) => us)).toEqual([30, 10]);
  });
});
