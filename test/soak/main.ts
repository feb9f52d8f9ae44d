// What does `npm run soak [-- --seconds N] [-- --seed N] [-- --json]` do and print? Its last line is one JSON object; status 1 when not all is well.
import { readArguments } from './arguments.ts';
import { soak } from './soak.ts';

const EXIT_NOT_OK = 1;
const EXIT_USAGE = 2;

async function run(): Promise<number> {
  const args = usable(() => readArguments(process.argv.slice(2), Math.random));
  if (args === undefined) return EXIT_USAGE;
  const tell = (line: string): void => void process.stderr.write(`soak: ${line}\n`);
  tell(`seed ${args.seed}, ${args.seconds} s (again: npm run soak -- --seed ${args.seed})`);
  const { result, complaints } = await soak(args, tell);
  for (const complaint of complaints) tell(complaint);
  const text = args.isJson ? '' : `${JSON.stringify(result, undefined, 2)}\n`;
  process.stdout.write(`${text}${JSON.stringify(result)}\n`);
  return result.ok ? 0 : EXIT_NOT_OK;
}

function usable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`soak: ${error.message}\n`);
    return undefined;
  }
}

// What was started ends with its connections and its stdin.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(status));
}
const status = await run().catch((error: unknown) => {
  process.stderr.write(`soak: ${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  return EXIT_NOT_OK;
});
process.stdout.write('', () => process.exit(status));
