%% What is a case's tree on the Erlang side? OTP's own supervisor, with children that do what their plans say.
-module(differential_tree).
-behaviour(supervisor).

-export([start_supervisor/3, init/1, child_spec/3, gate_spec/1, gate/2]).
-export([start_worker/3, start_dynamic/4, worker/5]).

%% A context is #{table, log}: what is known of the case's processes, and who writes down what happens.

start_supervisor(Context, Plan, Path) ->
    N = next_attempt(Context, Path),
    differential_log:note(Context, {start, Path, N, supervisor}),
    supervisor:start_link(?MODULE, {Context, Plan, Path, N}).

init({Context, Plan, Path, N}) ->
    #{strategy := Strategy, intensity := Intensity, period := Period,
      auto_shutdown := AutoShutdown, children := Children} = Plan,
    enter(Context, Path, N, supervisor, Strategy),
    Flags = #{strategy => Strategy, intensity => Intensity, period => Period,
              auto_shutdown => AutoShutdown},
    {ok, {Flags, [init_spec(Strategy, Context, Child, Path) || Child <- Children]}}.

init_spec(simple_one_for_one, Context, Plan, Path) ->
    (options(Plan))#{start => {?MODULE, start_dynamic, [Context, Plan, Path]}};
init_spec(_, Context, Plan, Path) ->
    child_spec(Context, Plan, Path).

%% The specification of a child of the supervisor at Path.
child_spec(Context, #{kind := worker, id := Id} = Plan, Path) ->
    (options(Plan))#{start => {?MODULE, start_worker, [Context, Plan, Path ++ [Id]]}};
child_spec(Context, #{kind := supervisor, id := Id} = Plan, Path) ->
    (options(Plan))#{start => {?MODULE, start_supervisor, [Context, Plan, Path ++ [Id]]}}.

options(#{kind := Kind} = Plan) ->
    (maps:with([id, restart, significant, shutdown], Plan))#{type => Kind}.

%% A child whose start keeps its supervisor waiting until it is let go, and which then was nothing.
gate_spec(Runner) ->
    #{id => gate, restart => temporary, start => {?MODULE, gate, [Runner, gate]}}.

gate(Runner, gate) ->
    Runner ! {at_the_gate, self()},
    receive open_the_gate -> ignore end.

start_dynamic(_Context, _Plan, _Path, {gate, Runner}) ->
    gate(Runner, gate);
start_dynamic(Context, Plan, Path, Label) ->
    start_worker(Context, Plan, Path ++ [Label]).

start_worker(Context, Plan, Path) ->
    N = next_attempt(Context, Path),
    Outcome = outcome(Context, Plan, Path, N),
    differential_log:note(Context, {start, Path, N, Outcome}),
    case Outcome of
        ok -> proc_lib:start_link(?MODULE, worker, [self(), Context, Plan, Path, N]);
        ignore -> ignore;
        error -> {error, refused}
    end.

%% Starts of one path are counted through the whole case, whoever made them.
next_attempt(#{table := Table}, Path) ->
    ets:update_counter(Table, {attempts, Path}, 1, {{attempts, Path}, 0}).

%% What a step of the case has ordered comes first, then the plan's own list, then success.
outcome(#{table := Table}, #{starts := Starts}, Path, N) ->
    case ets:lookup(Table, {script, Path}) of
        [{_, [Outcome | Rest]}] ->
            ets:insert(Table, {{script, Path}, Rest}),
            Outcome;
        _ when N =< length(Starts) -> lists:nth(N, Starts);
        _ -> ok
    end.

%% The process is known before its start returns, so that its end is never a stranger's.
enter(#{table := Table}, Path, N, Kind, Strategy) ->
    ets:insert(Table, [{{process, self()}, Path, N, Kind, Strategy}, {{latest, Path}, self()}]).

worker(Supervisor, Context, #{manner := Manner} = Plan, Path, N) ->
    process_flag(trap_exit, Manner =/= plain),
    enter(Context, Path, N, worker, none),
    proc_lib:init_ack(Supervisor, {ok, self()}),
    serve(Supervisor, Plan).

serve(Supervisor, #{manner := Manner} = Plan) ->
    receive
        {exit_with, Reason} -> exit(Reason);
        {'EXIT', Supervisor, shutdown} when Manner =:= ignores -> serve(Supervisor, Plan);
        {'EXIT', Supervisor, shutdown} when is_tuple(Manner) -> exit(element(2, Manner));
        {'EXIT', Supervisor, Reason} -> exit(Reason)
    end.
