%% How does the other side reach the VM? Cases as Erlang terms on standard input, records as JSON on
%% standard output, each after its length in four bytes; many at a time, in whatever order they end.
-module(differential).

-export([main/0]).

%% So many cases run at the same time; those in a long wait need no turn. More would only make turns slow.
-define(TURNS, 32).

main() ->
    ok = logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    Port = open_port({fd, 0, 1}, [{packet, 4}, binary, eof]),
    loop(#{port => Port, turns => ?TURNS, waiting => queue:new()}).

loop(#{port := Port} = State) ->
    receive
        {Port, {data, Text}} -> loop(take_in(Text, State));
        {Port, eof} -> halt(0);
        {'EXIT', Port, _} -> halt(0);
        {pause, Runner} ->
            Runner ! go,
            loop(next(State));
        {turn, Runner} -> loop(ask(Runner, State));
        {done, Answer} ->
            true = port_command(Port, Answer),
            loop(next(State));
        _ -> loop(State)
    end.

take_in(Text, State) ->
    Main = self(),
    Runner = spawn(fun() ->
        receive go -> ok end,
        {ok, Tokens, _} = erl_scan:string(binary_to_list(Text)),
        {ok, {Number, Case}} = erl_parse:parse_term(Tokens),
        Main ! {done, answer(Number, Case, fun(Wait) -> pause(Main, Wait) end)}
    end),
    ask(Runner, State).

answer(Number, Case, Pause) ->
    try differential_text:of_run(Number, differential_case:run(Case, Pause))
    catch _:Error:Stack -> differential_text:of_failure(Number, Error, Stack)
    end.

%% A turn is given back for the time of a long wait.
pause(Main, Wait) ->
    Main ! {pause, self()},
    receive go -> ok end,
    Wait(),
    Main ! {turn, self()},
    receive go -> ok end.

ask(Runner, #{turns := 0, waiting := Waiting} = State) ->
    State#{waiting := queue:in(Runner, Waiting)};
ask(Runner, #{turns := Turns} = State) ->
    Runner ! go,
    State#{turns := Turns - 1}.

next(#{turns := Turns, waiting := Waiting} = State) ->
    case queue:out(Waiting) of
        {{value, Runner}, Left} ->
            Runner ! go,
            State#{waiting := Left};
        {empty, _} -> State#{turns := Turns + 1}
    end.
