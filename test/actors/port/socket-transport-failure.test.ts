import type * as Fs from 'node:fs';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type * as Net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SocketTransport } from '../../../actors/port/socket-transport.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const system = vi.hoisted((): { refuses: 'nothing' | 'to remove' | 'to listen' } => ({
  refuses: 'nothing',
}));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>();
  return {
    ...fs,
    rmSync: (...args: Parameters<typeof fs.rmSync>) => {
      // As when a grandchild that escaped still writes there, or made a folder that nobody may enter.
      if (system.refuses === 'to remove') throw new Error('ENOTEMPTY');
      fs.rmSync(...args);
    },
  };
});

vi.mock('node:net', async (original) => {
  const net = await original<typeof Net>();
  return {
    ...net,
    createServer: () => {
      const server = net.createServer();
      if (system.refuses === 'to listen') {
        server.listen = () => {
          setImmediate(() => server.emit('error', new Error('EMFILE')));
          return server;
        };
      }
      return server;
    },
  };
});

let folder: string;
const before = process.env['TMPDIR'];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caduceus-test-'));
  process.env['TMPDIR'] = folder;
});

afterEach(() => {
  system.refuses = 'nothing';
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(folder, { recursive: true, force: true });
});

describe('the private directory', () => {
  it('that cannot be removed does not keep the transport from closing', async () => {
    const transport = await SocketTransport.listen(new VirtualClock());
    system.refuses = 'to remove';
    await expect(transport.close()).resolves.toBeUndefined();
    expect(existsSync(transport.directory)).toBe(true);
  });

  it('is not left behind when the system refuses to listen', async () => {
    system.refuses = 'to listen';
    await expect(SocketTransport.listen(new VirtualClock())).rejects.toThrow('EMFILE');
    expect(readdirSync(folder)).toEqual([]);
  });
});
