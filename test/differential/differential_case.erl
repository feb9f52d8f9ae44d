%% What does the real supervisor do in one case? Steps one by one, each until nothing moves any more.
-module(differential_case).

-export([run/2]).

%% No step may take longer; one that does is reported, never waited for.
-define(STUCK_MS, 20000).

%% What the supervisor itself answers; any other error is a start function's.
-define(IS_REFUSAL(Error),
        (Error =:= already_present orelse Error =:= running orelse Error =:= restarting orelse
         Error =:= not_found orelse Error =:= simple_one_for_one)).

%% @returns the case's record, as terms that differential_text writes. Pause is called around long waits.
run(#{root := Root, steps := Steps, stop := Stop}, Pause) ->
    process_flag(trap_exit, true),
    Log = differential_log:start(),
    Context = #{table => ets:new(differential, [public]), log => Log, pause => Pause},
    ok = differential_log:watch(Log),
    {Started, Top} = start(Context, Root),
    State0 = #{context => Context, top => Top, since => now_ms(), longest => 0},
    First = record(State0, [Started]),
    {State, Records} = lists:foldl(fun step/2, {State0, [First]}, Steps),
    Last = stop(State, Stop),
    Events = differential_log:finish(Log),
    #{records => lists:reverse([Last | Records]),
      events => [named(Context, Event) || Event <- Events],
      longest => longest(State)}.

start(Context, Root) ->
    case differential_tree:start_supervisor(Context, Root, []) of
        {ok, Top} -> {ok, Top};
        {error, Reason} -> {{failed, Reason}, undefined}
    end.

stop(#{context := Context, top := Top} = State, Reason) ->
    differential_log:note(Context, mark),
    case is_pid(Top) andalso is_process_alive(Top) of
        true ->
            exit(Top, Reason),
            await_end(Top),
            record(State, [stopped]);
        false ->
            record(State, [nobody])
    end.

step(Step, {State, Records}) ->
    differential_log:note(maps:get(context, State), mark),
    {Results, Next} = take(Step, State),
    {Next, [record(Next, Results) | Records]}.

%% What a step is answered with, and what is to be seen once it is over.
record(#{context := Context, top := Top}, Results) ->
    Snapshot = settle(Context, Top, now_ms() + ?STUCK_MS),
    {[plain(Context, Result) || Result <- Results], Snapshot}.

take({wait, Ms, long}, #{context := #{pause := Pause}} = State) ->
    Longest = longest(State),
    Pause(fun() -> receive after Ms -> ok end end),
    {[], State#{since := now_ms(), longest := Longest}};
take({wait, Ms, short}, State) ->
    receive after Ms -> {[], State} end;
take({script, Path, Outcomes}, #{context := #{table := Table}} = State) ->
    ets:insert(Table, {{script, Path}, Outcomes}),
    {[], State};
take({exit, Path, How}, #{context := Context} = State) ->
    {[end_by_itself(alive(Context, Path), How)], State};
take({call, Path, Call}, #{context := Context} = State) ->
    {[call(Context, alive(Context, Path), Path, resolved(Context, Call))], State};
take({together, Path, Items}, #{context := Context} = State) ->
    {together(Context, alive(Context, Path), Path, Items), State}.

%% How long the busiest stretch between two long waits took: only below the period is the case what it says.
longest(#{since := Since, longest := Longest}) ->
    max(Longest, now_ms() - Since).

%% --- what steps do ---

end_by_itself(nobody, _) -> nobody;
end_by_itself(Pid, How) ->
    tell_to_end(Pid, How),
    await_end(Pid),
    told.

tell_to_end(Pid, killed) -> exit(Pid, kill);
tell_to_end(Pid, Reason) -> Pid ! {exit_with, Reason}.

await_end(Pid) ->
    Monitor = monitor(process, Pid),
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

call(_, Supervisor, _, Call) when Supervisor =:= nobody; Call =:= nobody -> nobody;
call(Context, Supervisor, Path, Call) ->
    try api(Context, Supervisor, Path, Call)
    catch exit:{_, {gen_server, call, _}} -> gone
    end.

api(Context, Supervisor, Path, {start_child, Plan}) ->
    {started, supervisor:start_child(Supervisor, differential_tree:child_spec(Context, Plan, Path))};
api(_, Supervisor, _, {start_dynamic, Label}) ->
    {started, supervisor:start_child(Supervisor, [Label])};
api(_, Supervisor, _, {restart_child, Id}) ->
    {started, supervisor:restart_child(Supervisor, Id)};
api(_, Supervisor, _, {terminate_child, Id}) ->
    {done, supervisor:terminate_child(Supervisor, Id)};
api(_, Supervisor, _, {delete_child, Id}) ->
    {done, supervisor:delete_child(Supervisor, Id)};
api(_, Supervisor, _, {get_childspec, Id}) ->
    {spec, supervisor:get_childspec(Supervisor, Id)};
api(_, Supervisor, _, {terminate_pid, Pid}) ->
    {done, supervisor:terminate_child(Supervisor, Pid)};
api(_, Supervisor, _, {get_childspec_pid, Pid}) ->
    {spec, supervisor:get_childspec(Supervisor, Pid)};
api(_, Supervisor, _, which_children) ->
    {which, supervisor:which_children(Supervisor)};
api(_, Supervisor, _, count_children) ->
    {count, supervisor:count_children(Supervisor)}.

%% A path in a call stands for the last process that had it when the call is made, dead or alive.
resolved(Context, {Call, Path}) when Call =:= terminate_pid; Call =:= get_childspec_pid ->
    case latest(Context, Path) of
        nobody -> nobody;
        Pid -> {Call, Pid}
    end;
resolved(_, Call) -> Call.

%% All items are in the supervisor's mailbox, in this order, before it looks at the first: a start holds it up.
together(_, nobody, _, _) -> [nobody];
together(Context, Supervisor, Path, Items) ->
    Runner = self(),
    Gate = asking(fun() -> gate(Supervisor, Runner, strategy(Context, Supervisor)) end),
    case await_gate(Gate, Supervisor) of
        closed ->
            Asked = [queue(Context, Supervisor, Path, Item) || Item <- Items],
            Supervisor ! open_the_gate,
            answer(Gate),
            [case Answer of {asked, Caller} -> answer(Caller); _ -> Answer end || Answer <- Asked];
        gone -> [gone]
    end.

gate(Supervisor, Runner, simple_one_for_one) ->
    supervisor:start_child(Supervisor, [{gate, Runner}]);
gate(Supervisor, Runner, _) ->
    supervisor:start_child(Supervisor, differential_tree:gate_spec(Runner)).

await_gate(Gate, Supervisor) ->
    receive
        {at_the_gate, Supervisor} -> closed;
        {Gate, _} -> gone
    end.

queue(Context, Supervisor, _, {exit, Path, How}) ->
    case alive(Context, Path) of
        nobody -> nobody;
        Pid ->
            tell_to_end(Pid, How),
            await_mail(Supervisor, fun({'EXIT', From, _}) -> From =:= Pid; (_) -> false end),
            told
    end;
queue(Context, Supervisor, Path, {call, Call}) ->
    case resolved(Context, Call) of
        nobody -> nobody;
        Resolved ->
            Caller = asking(fun() -> call(Context, Supervisor, Path, Resolved) end),
            IsCall = fun({'$gen_call', {From, _}, _}) -> From =:= Caller; (_) -> false end,
            await_mail(Supervisor, IsCall),
            {asked, Caller}
    end.

asking(Ask) ->
    Runner = self(),
    spawn_link(fun() -> Runner ! {self(), Ask()} end).

answer(Caller) ->
    receive {Caller, Answer} -> Answer end.

%% Exits and calls are signals of other processes: when they are in the mailbox is seen there only.
await_mail(Supervisor, IsIt) ->
    {messages, Mail} = process_info(Supervisor, messages),
    case lists:any(IsIt, Mail) of
        true -> ok;
        false ->
            erlang:yield(),
            await_mail(Supervisor, IsIt)
    end.

%% --- when does nothing move any more? ---

%% Each supervisor has answered, all its children live, and so do theirs: then none of them has an end
%% before it that it has not heard of, for workers end only when told and everyone told has ended.
settle(Context, Top, UntilMs) ->
    case visit(Context, Top) of
        {still, Members, Snapshot} ->
            case outside(Context, Members) of
                [] -> lists:reverse(Snapshot);
                Others -> await_others(Context, Top, UntilMs, Others)
            end;
        moving -> again(Context, Top, UntilMs, [])
    end.

%% Who is below no supervisor any more is on its way out.
await_others(Context, Top, UntilMs, [Pid | _] = Others) ->
    Monitor = monitor(process, Pid),
    receive {'DOWN', Monitor, process, Pid, _} -> ok
    after max(0, UntilMs - now_ms()) -> demonitor(Monitor, [flush])
    end,
    again(Context, Top, UntilMs, Others).

again(Context, Top, UntilMs, Others) ->
    case now_ms() > UntilMs of
        true -> [{stuck, [name(Context, Pid) || Pid <- Others]}];
        false ->
            erlang:yield(),
            settle(Context, Top, UntilMs)
    end.

visit(Context, Top) ->
    case is_pid(Top) andalso is_process_alive(Top) of
        true -> visit(Context, Top, {still, [], []});
        false -> {still, [], []}
    end.

visit(Context, Pid, {still, Members, Snapshot}) ->
    try {supervisor:which_children(Pid), supervisor:count_children(Pid)} of
        {Which, Count} ->
            Seen = {at, name(Context, Pid), plain(Context, {which, Which}), plain(Context, {count, Count})},
            Children = [{Child, Type} || {_, Child, Type, _} <- Which, Child =/= undefined],
            Inside = lists:foldr(
                       fun(Child, Acc) -> visit_child(Context, Child, Acc) end,
                       {still, [Pid | Members], [Seen | Snapshot]}, Children),
            case is_process_alive(Pid) of
                true -> Inside;
                false -> moving
            end
    catch exit:_ -> moving
    end.

visit_child(_, _, moving) -> moving;
visit_child(_, {restarting, _}, _) -> moving;
visit_child(Context, {Pid, supervisor}, Found) -> visit(Context, Pid, Found);
visit_child(_, {Pid, worker}, {still, Members, Snapshot}) ->
    case is_process_alive(Pid) of
        true -> {still, [Pid | Members], Snapshot};
        false -> moving
    end.

outside(#{table := Table}, Members) ->
    All = ets:select(Table, [{{{process, '$1'}, '_', '_', '_', '_'}, [], ['$1']}]),
    [Pid || Pid <- All -- Members, is_process_alive(Pid)].

%% --- names for pids ---

latest(#{table := Table}, Path) ->
    case ets:lookup(Table, {latest, Path}) of
        [{_, Pid}] -> Pid;
        [] -> nobody
    end.

alive(Context, Path) ->
    case latest(Context, Path) of
        nobody -> nobody;
        Pid ->
            case is_process_alive(Pid) of
                true -> Pid;
                false -> nobody
            end
    end.

strategy(#{table := Table}, Pid) ->
    [{_, _, _, _, Strategy}] = ets:lookup(Table, {process, Pid}),
    Strategy.

name(#{table := Table}, Pid) ->
    case ets:lookup(Table, {process, Pid}) of
        [{_, Path, N, _, _}] -> {Path, N};
        [] -> stranger
    end.

named(Context, {exit, Pid, Reason}) -> {exit, name(Context, Pid), Reason};
named(_, Event) -> Event.

%% The answer without pids.
plain(Context, {started, {ok, Pid}}) when is_pid(Pid) -> {ok, name(Context, Pid)};
plain(_, {started, {ok, undefined}}) -> {ok, nobody};
plain(Context, {started, {error, {already_started, Pid}}}) -> {already_started, name(Context, Pid)};
plain(_, {started, {error, {Reason, Child}}}) when element(1, Child) =:= child -> {failed, Reason};
plain(_, {started, {error, {bad_combination, _}}}) -> {refused, bad_combination};
plain(_, {started, {error, Refusal}}) when ?IS_REFUSAL(Refusal) -> {error, Refusal};
plain(_, {started, {error, Reason}}) -> {failed, Reason};
plain(_, {done, ok}) -> ok;
plain(_, {done, {error, Error}}) -> {error, Error};
plain(_, {spec, {ok, Spec}}) ->
    {spec, maps:to_list(maps:with([id, restart, significant, shutdown, type], Spec))};
plain(_, {spec, {error, Error}}) -> {error, Error};
plain(Context, {which, Children}) ->
    {which, [{Id, child(Context, Child), Type} || {Id, Child, Type, _} <- Children]};
plain(_, {count, Counts}) ->
    {count, [proplists:get_value(Key, Counts) || Key <- [specs, active, supervisors, workers]]};
plain(_, Other) -> Other.

child(Context, Pid) when is_pid(Pid) -> name(Context, Pid);
child(_, Marker) -> Marker.

now_ms() -> erlang:monotonic_time(millisecond).
