// Does every call end exactly once: with its answer, or with the reason why there will be none?
import { describe, expect, it } from 'vitest';

import { reply, type From } from '../../../actors/lifecycle/from.ts';
import { Timetable } from '../../../actors/lifecycle/later.ts';
import { call } from '../../../supervisors/messages.ts';
import { stage } from '../../conformance/stage.ts';
import { boom, doer, doers, LATER, rejectionOf, type Job } from './actors.ts';

const job = (run: Job['run'], type = 'job'): Job => ({
  type,
  ...(run === undefined ? {} : { run }),
});

describe('a call', () => {
  it('gives what the actor answers, at once or later', async () => {
    const { one, ask } = await doers();
    expect(
      await ask(
        call(
          one,
          job(() => 42),
        ),
      ),
    ).toBe(42);
    const froms: (From | undefined)[] = [];
    const pending = call(
      one,
      job((from) => {
        froms.push(from);
        return LATER;
      }),
    );
    await ask(Promise.resolve());
    reply(froms[0], 'later');
    expect(await ask(pending)).toBe('later');
  });

  it('finds an actor by its name, in its own system when an actor calls', async () => {
    const made = await stage({ children: [{ id: 'a', start: doer, name: 'answerer' }] });
    const { world } = made;
    expect(
      await made.ask(
        call(
          'answerer',
          job(() => 1),
          world,
        ),
      ),
    ).toBe(1);
    const other = await made.start({ id: 'b', start: doer });
    const answers: unknown[] = [];
    other.send(
      job(
        () =>
          void call(
            'answerer',
            job(() => 2),
          ).then((value) => answers.push(value)),
      ),
    );
    await world.settle();
    expect(answers).toEqual([2]);
  });

  it('to nobody, to the dead or to itself is refused before anything is sent', async () => {
    const { one, two, as, ask, world } = await doers();
    as(two, boom);
    const own = as(one, () =>
      rejectionOf(
        call(
          one,
          job(() => 1),
        ),
      ),
    ) as Promise<object>;
    const noproc = {
      code: 'noproc',
      outcome: 'notSent',
      retryable: true,
      reason: { type: 'noproc' },
    };
    expect(
      await ask(
        rejectionOf(
          call(
            two,
            job(() => 1),
          ),
        ),
      ),
    ).toMatchObject(noproc);
    expect(
      await ask(
        rejectionOf(
          call(
            'nobody',
            job(() => 1),
            world,
          ),
        ),
      ),
    ).toMatchObject(noproc);
    expect(await ask(own)).toMatchObject({ code: 'calling_self', outcome: 'notSent' });
    expect(world.told('letter.dead')).toEqual([]);
  });

  it('times out; the work goes on, and its late answer is dropped and counted', async () => {
    const { one, world, ask } = await doers();
    const froms: (From | undefined)[] = [];
    const later = job((from) => {
      froms.push(from);
      return LATER;
    });
    const short = rejectionOf(call(one, later, { timeoutMs: 10 }));
    const standard = rejectionOf(call(one, later));
    await world.advance(9);
    expect(froms.map((from) => from?.timeoutMs)).toEqual([10, 5_000]);
    await world.advance(1);
    expect(await ask(short)).toMatchObject({
      code: 'timeout',
      outcome: 'maybeExecuted',
      message: 'call job of root/one: no answer came in time',
    });
    await world.advance(4_990);
    expect(await ask(standard)).toMatchObject({ code: 'timeout' });
    reply(froms[0], 'late');
    expect(world.told('reply.dropped')).toEqual([{ path: 'root/one', epoch: 1, callId: 1 }]);
    expect(one.exitReason).toBeUndefined();
  });

  it('without a bound waits for as long as it takes', async () => {
    const { one, world, ask } = await doers();
    let from: From | undefined;
    const pending = call(
      one,
      job((of) => {
        from = of;
        return LATER;
      }),
      { timeoutMs: Number.POSITIVE_INFINITY },
    );
    await world.advance(1e9);
    reply(from, 'at last');
    reply(from, 'twice');
    expect(await ask(pending)).toBe('at last');
    expect(world.told('reply.dropped')).toHaveLength(1);
    await expect(call(one, job(boom), { timeoutMs: -1 })).rejects.toThrow(RangeError);
  });

  it('is rejected with the reason when the one who is called ends before it answers', async () => {
    const { one, ask } = await doers();
    const crashed = await ask(rejectionOf(call(one, job(boom))));
    expect(crashed).toMatchObject({ code: 'exit', cause: new Error('boom') });
    expect(crashed['message']).toBe(
      'call job of root/one: it ended before it answered (Error: boom)',
    );
    expect(crashed['reason']).toEqual({ type: 'error', error: new Error('boom') });
  });

  it('that was answered in the last breath has its answer', async () => {
    const { one, ask } = await doers();
    const dying = job((from) => {
      reply(from, 'bye');
      boom();
    });
    expect(await ask(call(one, dying))).toBe('bye');
  });

  it('is given up by its signal, before and after it was sent', async () => {
    const { one, ask } = await doers();
    const controller = new AbortController();
    const pending = rejectionOf(
      call(
        one,
        job(() => LATER),
        { signal: controller.signal },
      ),
    );
    controller.abort(new Error('enough'));
    const cause = new Error('enough');
    expect(await ask(pending)).toMatchObject({ code: 'aborted', outcome: 'maybeExecuted', cause });
    const late = rejectionOf(call(one, job(boom), { signal: controller.signal }));
    expect(await ask(late)).toMatchObject({ code: 'aborted', outcome: 'notSent', cause });
    expect(one.exitReason).toBeUndefined();
  });

  it('of an actor that has ended meanwhile is forgotten', async () => {
    const { one, two, as, world } = await doers();
    const settled: unknown[] = [];
    let from: From | undefined;
    as(one, () => {
      const pending = call(
        two,
        job((of) => ((from = of), LATER)),
      );
      pending.then(
        (value) => settled.push(value),
        (error: unknown) => settled.push(error),
      );
    });
    as(one, boom);
    reply(from, 'too late');
    await world.advance(5_000);
    expect(settled).toEqual([]);
    expect(Timetable.of(world.clock).deadlinesCount).toBe(0);
  });

  it('is refused at once when nobody takes it yet: the actor is still starting', async () => {
    const made = await stage();
    let self: Parameters<typeof call>[0] | undefined;
    const starting = made.sup.startChild({
      id: 'a',
      start: (_input: never, context: { readonly self: object }) => {
        self = context.self as typeof self;
        return new Promise<never>(() => undefined);
      },
    });
    starting.catch(() => undefined);
    await made.world.settle();
    const refused = await made.ask(
      rejectionOf(
        call(
          self!,
          job(() => 1),
        ),
      ),
    );
    expect(refused).toMatchObject({ code: 'noproc', outcome: 'notSent' });
  });

  it('that was answered leaves no timer, which would keep the process alive', async () => {
    const { one, world, ask } = await doers();
    const before = world.clock.pending;
    expect(
      await ask(
        call(
          one,
          job(() => 1),
        ),
      ),
    ).toBe(1);
    await world.settle();
    expect(world.clock.pending).toBe(before);
  });

  it('arms one timer for all, and leaves none behind', async () => {
    const { one, world, ask } = await doers();
    const before = world.clock.pending;
    let from: From | undefined;
    const calls = Array.from({ length: 100 }, () =>
      call(
        one,
        job((of) => ((from = of), LATER)),
      ),
    );
    expect(world.clock.pending - before).toBe(1);
    for (const pending of calls) pending.catch(() => undefined);
    reply(from, 1);
    await world.advance(5_000);
    await ask(Promise.allSettled(calls));
    expect(Timetable.of(world.clock).deadlinesCount).toBe(0);
  });
});
