// How is Python called with gRPC? grpc-js to grpcio's asyncio server, on an insecure channel over a unix socket, one HTTP/2 connection.
import { join } from 'node:path';

import { endBare, spawnServer } from '../../raw-process.ts';
import type { Peer } from '../peer.ts';

interface Message {
  readonly text: string;
}

interface Client {
  readonly Say: (
    message: Message,
    callback: (error: Error | null, answer: Message) => void,
  ) => void;
  readonly close: () => void;
}

interface Grpc {
  readonly credentials: { readonly createInsecure: () => object };
  readonly loadPackageDefinition: (definition: object) => {
    readonly Echo: new (address: string, credentials: object) => Client;
  };
}

interface ProtoLoader {
  readonly loadSync: (file: string) => object;
}

export const GRPC: Peer = {
  name: 'grpc',
  what: 'gRPC (grpc-js, grpcio)',
  must: 1,
  aim: 1,
  packages: {
    node: ['@grpc/grpc-js', '@grpc/proto-loader'],
    python: ['grpcio', 'protobuf'],
  },
  start: async ({ python, folder, scratch, load }) => {
    const grpc = (await load('@grpc/grpc-js')) as Grpc;
    const { loadSync } = (await load('@grpc/proto-loader')) as ProtoLoader;
    const address = `unix:${join(scratch, 'grpc')}`;
    const server = await spawnServer(python, [join(folder, 'server.py'), address]);
    const { Echo } = grpc.loadPackageDefinition(loadSync(join(folder, 'echo.proto')));
    const client = new Echo(address, grpc.credentials.createInsecure());
    return {
      pid: server.pid,
      echo: (text) =>
        new Promise((resolve, reject) => {
          client.Say({ text }, (error, answer) => {
            if (error === null) resolve(answer.text);
            else reject(error);
          });
        }),
      stop: async () => {
        client.close();
        await endBare(server);
      },
    };
  },
};
