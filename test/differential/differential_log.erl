%% In which order did what happen? Starts note themselves; ends are told by the VM's own tracing, with kills and all.
%% Both carry a stamp of one strictly monotonic series, so their order is that of the causes, whichever message came first.
-module(differential_log).

-export([start/0, note/2, watch/1, finish/1]).

%% A log that lives as long as its owner.
start() ->
    spawn_link(fun() -> collect([]) end).

note(#{log := Log}, Event) ->
    Log ! {noted, erlang:unique_integer([monotonic]), Event},
    ok.

%% Every process that the caller starts from now on, at any depth, is traced.
watch(Log) ->
    Flags = [procs, set_on_spawn, strict_monotonic_timestamp, {tracer, Log}],
    1 = erlang:trace(self(), true, Flags),
    ok.

%% All events up to now, in order.
finish(Log) ->
    Log ! {finish, self()},
    receive {Log, Events} -> Events end.

collect(Events) ->
    receive
        {noted, Stamp, Event} -> collect([{Stamp, Event} | Events]);
        {trace_ts, Pid, exit, Reason, {_, Stamp}} ->
            collect([{Stamp, {exit, Pid, Reason}} | Events]);
        {finish, From} ->
            erlang:trace_delivered(all),
            deliver(From, Events);
        _ -> collect(Events)
    end.

deliver(From, Events) ->
    receive
        {noted, Stamp, Event} -> deliver(From, [{Stamp, Event} | Events]);
        {trace_ts, Pid, exit, Reason, {_, Stamp}} ->
            deliver(From, [{Stamp, {exit, Pid, Reason}} | Events]);
        {trace_delivered, all, _} ->
            From ! {self(), [Event || {_, Event} <- lists:keysort(1, Events)]};
        _ -> deliver(From, Events)
    end.
